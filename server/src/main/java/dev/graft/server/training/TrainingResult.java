package dev.graft.server.training;

import java.util.List;

/**
 * How a run ended.
 *
 * @param step optimizer steps done
 * @param epoch epochs done, fractional
 * @param trainLoss mean loss over all steps, those before a checkpoint too
 * @param stopReason why training ended before its last step: empty, or {@code early_stopping}
 * @param bestStep the step whose weights the projector has
 * @param parameters every tensor that trained
 * @param projectorFile the trained projector, a safetensors file
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TrainingResult(
    long step,
    double epoch,
    double trainLoss,
    String stopReason,
    long bestStep,
    List<ParameterInfo> parameters,
    byte[] projectorFile) {}
