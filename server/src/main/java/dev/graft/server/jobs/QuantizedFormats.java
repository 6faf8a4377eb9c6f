package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.quantizing.BitsAndBytes;
import dev.graft.server.quantizing.BitsAndBytesScheme;
import dev.graft.server.quantizing.FourBitType;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.WeightQuantizer;
import dev.graft.server.torch.DType;
import java.util.Optional;

/** The schemes that results can be stored in. */
final class QuantizedFormats {
  private QuantizedFormats() {}

  /** The format of a request's scheme; empty for NONE. */
  static Optional<QuantizedFormat> of(QuantizeRequest request) {
    return switch (request.scheme()) {
      case NONE -> Optional.empty();
      case NF4 -> Optional.of(fourBit(request, FourBitType.NF4));
      case FP4 -> Optional.of(fourBit(request, FourBitType.FP4));
      case INT8 -> Optional.of(bitsAndBytes(request, new BitsAndBytesScheme.Int8()));
      case Q8_0, Q4_0 ->
          throw GraftException.invalidArgument(
                  "UNSUPPORTED_SCHEME",
                  "This worker does not write scheme %s; DescribeWorker lists those that it does."
                      .formatted(request.scheme()))
              .with("field", "scheme");
    };
  }

  private static QuantizedFormat fourBit(QuantizeRequest request, FourBitType type) {
    return bitsAndBytes(
        request,
        new BitsAndBytesScheme.FourBit(type, request.blockSize(), request.doubleQuantization()));
  }

  private static QuantizedFormat bitsAndBytes(QuantizeRequest request, BitsAndBytesScheme scheme) {
    WeightQuantizer quantizer = BitsAndBytes.quantizer(scheme);
    ObjectNode configuration =
        BitsAndBytes.quantizationConfig(
            scheme, request.recordedComputeDtype().orElse(DType.F32), request.skipModules());
    return new QuantizedFormat() {
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
    };
  }
}
