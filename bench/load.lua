-- Requests of a load, for wrk: `post` creates items, `get COUNT` reads items with IDs from 1 to COUNT, and `paths FILE` requests the
-- paths in a file. `post-ticket PATH PROJECTS` creates records with a code of their own and one of PROJECTS projects.
-- Prints the result as one line of JSON.

local body = '{"name":"Sample Item","description":"An item of ordinary size, with a sentence or two that say what it is.","price":9.99}'
local requests
local turn = 0

local ticket

function init(args)
  if args[1] == "post-ticket" then
    math.randomseed(os.time())
    local path, projects = args[2], tonumber(args[3])
    ticket = function()
      local code = string.format("%08x%08x", math.random(0, 0xffffffff), math.random(0, 0xffffffff))
      local body = '{"code":"' .. code .. '","project":' .. math.random(1, projects) ..
        ',"title":"An item of ordinary size, with a sentence or two that say what it is."}'
      return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body)
    end
    return
  end
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
  if ticket then return ticket() end
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
