package dev.graft.server.training;

/**
 * Training metrics, as the Trainer logs them.
 *
 * @param step optimizer steps done
 * @param epoch epochs done, fractional
 * @param loss mean loss of the steps since the last log entry
 * @param gradNorm norm of the last step's gradient, before clipping
 * @param learningRate of the last step
 */
public record LogEntry(
    long step, double epoch, double loss, double gradNorm, double learningRate) {}
