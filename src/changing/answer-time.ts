/** Time limit of a request, in milliseconds. A commit may wait for a slow disk. */
export const answerMs = 20_000;
