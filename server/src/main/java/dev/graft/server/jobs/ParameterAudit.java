package dev.graft.server.jobs;

import dev.graft.server.training.ParameterInfo;
import java.util.List;

/**
 * What trains and what is frozen.
 *
 * @param trainable every tensor that trains; empty while sizes are not known
 * @param frozenDigest SHA-256 of the frozen tensors and their configuration; empty without backbone
 */
public record ParameterAudit(
    List<ParameterInfo> trainable,
    long frozenTensors,
    long frozenParameters,
    String frozenDigest) {}
