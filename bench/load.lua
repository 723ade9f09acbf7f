-- Requests of a load, for wrk: `post` creates items, `get COUNT` reads items with IDs from 1 to COUNT, and `paths FILE` requests the
-- paths in a file.
-- Prints the result as one line of JSON.

local body = '{"name":"Sample Item","description":"An item of ordinary size, with a sentence or two that say what it is.","price":9.99}'
local requests
local turn = 0

function init(args)
  if args[1] == "post" then
    requests = { wrk.format("POST", "/items", { ["Content-Type"] = "application/json" }, body) }
  elseif args[1] == "paths" then
    requests = {}
    for path in io.lines(args[2]) do
      requests[#requests + 1] = wrk.format("GET", path)
    end
  else
    -- Created beforehand: building a request takes the load generator longer than sending it.
    requests = {}
    math.randomseed(1)
    for n = 1, 4096 do
      requests[n] = wrk.format("GET", "/items/" .. math.random(1, tonumber(args[2])))
    end
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"answers":%d,"seconds":%f,"refused":%d,"failed":%d,"p50Ms":%f,"p99Ms":%f}',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
