package dev.graft.server.jobs;

import dev.graft.server.training.Label;
import java.util.Optional;

/**
 * One training or evaluation item.
 *
 * @param pair the other input of a pair
 */
public record TrainItem(
    long number, Content content, Optional<Content> pair, Optional<Label> label) {}
