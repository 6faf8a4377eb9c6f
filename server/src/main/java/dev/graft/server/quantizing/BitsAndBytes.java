package dev.graft.server.quantizing;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.DType;
import java.util.List;
import java.util.Optional;

/**
 * Weights as bitsandbytes (https://github.com/bitsandbytes-foundation/bitsandbytes) quantizes them
 * and transformers stores them. {@code config.json} says whether in 4 bits or in 8; a weight that
 * is stored as usual was left unquantized.
 */
public final class BitsAndBytes {
  private BitsAndBytes() {}

  /**
   * Looks a weight up.
   *
   * @param weightName its name if it were not quantized: {@code
   *     model.layers.0.self_attn.q_proj.weight}
   * @param shape [out, in] of its linear layer; so also for GPT-2, whose unquantized weights are
   *     [in, out]
   * @return empty if the checkpoint is not quantized by bitsandbytes, or this weight of it is not
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for a setting that is not read,
   *     MISSING_TENSOR or CORRUPT_CHECKPOINT naming the tensor
   */
  public static Optional<QuantizedWeight> find(
      Checkpoint checkpoint, String weightName, long[] shape) {
    Optional<BitsAndBytesBits> bits = BitsAndBytesBits.of(checkpoint);
    if (bits.isEmpty()) {
      return Optional.empty();
    }
    return switch (bits.get()) {
      case FOUR -> BitsAndBytes4Bit.find(checkpoint, weightName, shape);
      case EIGHT -> BitsAndBytesInt8.find(checkpoint, weightName, shape);
    };
  }

  /** Encodes weights [out, in] with the bits that bitsandbytes makes on a CPU. */
  public static WeightQuantizer quantizer(BitsAndBytesScheme scheme) {
    if (scheme instanceof BitsAndBytesScheme.FourBit fourBit) {
      return new BitsAndBytes4BitQuantizer(fourBit);
    }
    return new BitsAndBytesInt8Quantizer();
  }

  /**
   * {@code quantization_config} of {@code config.json}, as transformers writes it.
   *
   * @param computeDtype recorded only; F32 where none was asked for
   * @param skippedModules what the user left unquantized; empty if that was not the user's choice
   */
  public static ObjectNode quantizationConfig(
      BitsAndBytesScheme scheme, DType computeDtype, Optional<List<String>> skippedModules) {
    // With 8 bits, what is said of 4 is what transformers has where nothing is said.
    BitsAndBytesScheme.FourBit fourBit =
        scheme instanceof BitsAndBytesScheme.FourBit given
            ? given
            : new BitsAndBytesScheme.FourBit(FourBitType.FP4, 64, false);
    boolean isFourBit = scheme instanceof BitsAndBytesScheme.FourBit;
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("_load_in_4bit", isFourBit);
    config.put("_load_in_8bit", !isFourBit);
    config.put("bnb_4bit_compute_dtype", QuantState.torchName(computeDtype));
    config.put("bnb_4bit_quant_storage", "uint8");
    config.put("bnb_4bit_quant_type", fourBit.type().text());
    config.put("bnb_4bit_use_double_quant", fourBit.doubleQuantization());
    config.put("llm_int8_enable_fp32_cpu_offload", false);
    config.put("llm_int8_has_fp16_weight", false);
    config.putNull("llm_int8_skip_modules");
    skippedModules.ifPresent(
        modules -> {
          var names = config.putArray("llm_int8_skip_modules");
          modules.forEach(names::add);
        });
    config.put("llm_int8_threshold", 6.0);
    config.put("load_in_4bit", isFourBit);
    config.put("load_in_8bit", !isFourBit);
    config.put("quant_method", "bitsandbytes");
    return config;
  }
}
