package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.WeightQuantizer;
import java.util.Optional;

/** What a scheme stores of weights, and how it is read back. */
interface QuantizedFormat {
  /** Encodes weights. */
  WeightQuantizer quantizer();

  /** {@code quantization_config} of the result. */
  ObjectNode configuration();

  /**
   * Finds what the quantizer made in a checkpoint.
   *
   * @param shape [out, in]
   */
  Optional<QuantizedWeight> find(Checkpoint checkpoint, String name, long[] shape);
}
