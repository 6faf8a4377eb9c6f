package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.quantizing.BitsAndBytes;
import dev.graft.server.quantizing.BitsAndBytesScheme;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.WeightQuantizer;
import dev.graft.server.torch.DType;
import java.util.Optional;

/** What bitsandbytes stores. */
final class BitsAndBytesFormat implements QuantizedFormat {
  private final WeightQuantizer quantizer;
  private final ObjectNode configuration;

  BitsAndBytesFormat(QuantizeRequest request, BitsAndBytesScheme scheme) {
    this.quantizer = BitsAndBytes.quantizer(scheme);
    this.configuration =
        BitsAndBytes.quantizationConfig(
            scheme, request.recordedComputeDtype().orElse(DType.F32), request.skipModules());
  }

  @Override
  public WeightQuantizer quantizer() {
    return quantizer;
  }

  @Override
  public ObjectNode configuration() {
    return configuration;
  }

  @Override
  public Optional<QuantizedWeight> find(Checkpoint checkpoint, String name, long[] shape) {
    return BitsAndBytes.find(checkpoint, name, shape);
  }
}
