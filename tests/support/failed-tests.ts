/** Returns, of the output of a run of many tests, those that failed, each with the lines before it that say why. */
export function failuresIn(output: string): string {
  const lines = output.split("\n");
  const failed = lines.flatMap((line, index) => {
    if (/error TS|^# Unhandled/.test(line)) return [line];
    const reasons = lines.slice(Math.max(0, index - 40), index).filter((reason) => !reason.startsWith("("));
    return line.startsWith("(fail)") ? [...reasons, line] : [];
  });
  return failed.length > 0 ? failed.slice(0, 300).join("\n") : output.slice(-5000);
}
