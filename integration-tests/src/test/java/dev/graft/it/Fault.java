package dev.graft.it;

/**
 * Something that happens to a worker of a farm. It comes to an end by itself, and leaves the worker
 * alive and reachable.
 *
 * @param atMillis when, after the start of the schedule; later if the worker has no work then
 * @param worker which worker, in an extraction. In a training it happens to the busiest
 * @param millis how long it lasts, where that is not up to what it is
 */
record Fault(Kind kind, int atMillis, int worker, int millis) {
  enum Kind {
    /** SIGKILL, and a new process after a while. */
    KILL,
    /** SIGSTOP, and SIGCONT after a while. */
    HANG,
    /** FIN on every connection. */
    FINISH,
    /** RST on every connection. */
    CUT,
    /** RST in the middle of a message from the worker. */
    RESET_IN_MESSAGE,
    /** What comes from the worker comes slowly. */
    SLOW,
    /** Others take all calls of the worker: it answers RESOURCE_EXHAUSTED. */
    EXHAUSTED,
    /** Each worker in turn gets SIGTERM, the next one when the successor of the last serves. */
    ROLLING_RESTART
  }
}
