package dev.graft.server.training;

import java.util.Optional;

/**
 * An item as it arrives, before its features are known.
 *
 * @param number chosen by the client
 * @param paired whether a pair belongs to it
 * @param digest tells its content from any other content: a digest of text, tokens or vectors. It
 *     goes into the fingerprint that a checkpoint must match
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TrainingItem(long number, Optional<Label> label, boolean paired, byte[] digest) {}
