package dev.graft.server.rpc;

import com.google.protobuf.ByteString;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.jobs.QuantizationScheme;
import dev.graft.server.jobs.QuantizeJob;
import dev.graft.server.jobs.QuantizeRequest;
import dev.graft.server.torch.DType;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DataType;
import dev.graft.v1.FileChunk;
import dev.graft.v1.QuantizeResponse;
import dev.graft.v1.QuantizeResult;
import dev.graft.v1.QuantizedFile;
import dev.graft.v1.QuantizedTensor;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Translates {@code quantize.proto}. */
final class QuantizeMessages {
  private static final int DEFAULT_BLOCK_SIZE = 64;
  private static final int LEAST_BLOCK_SIZE = 32;
  private static final int MOST_BLOCK_SIZE = 4096;

  /** As transformers. */
  private static final long DEFAULT_SHARD_BYTES = 5_000_000_000L;

  private QuantizeMessages() {}

  /** What the caller asked for; INVALID_ARGUMENT names the field. */
  static QuantizeRequest request(dev.graft.v1.QuantizeRequest request) {
    if (request.getSource().getPath().isEmpty()) {
      throw invalid(
          "source.path", "is empty; name a directory under one of the worker's model roots");
    }
    QuantizationScheme scheme = scheme(request.getScheme());
    return new QuantizeRequest(
        request.getSource().getPath(),
        scheme,
        Optional.of(request.getDestination()).filter(path -> !path.isEmpty()),
        blockSize(request, scheme),
        doubleQuantization(request, scheme),
        dataType(request.getDataType()),
        computeDtype(request.getRecordedComputeDtype()),
        skipModules(request.getSkipModulesList()),
        shardBytes(request.getMaxShardBytes()));
  }

  private static QuantizationScheme scheme(dev.graft.v1.QuantizationScheme scheme) {
    return switch (scheme) {
      case QUANTIZATION_SCHEME_NONE -> QuantizationScheme.NONE;
      case QUANTIZATION_SCHEME_NF4 -> QuantizationScheme.NF4;
      case QUANTIZATION_SCHEME_FP4 -> QuantizationScheme.FP4;
      case QUANTIZATION_SCHEME_INT8 -> QuantizationScheme.INT8;
      case QUANTIZATION_SCHEME_Q8_0 -> QuantizationScheme.Q8_0;
      case QUANTIZATION_SCHEME_Q4_0 -> QuantizationScheme.Q4_0;
      case QUANTIZATION_SCHEME_UNSPECIFIED ->
          throw invalid("scheme", "is not set; DescribeWorker lists the schemes");
      case UNRECOGNIZED ->
          throw invalid(
              "scheme", "is none that this worker knows; DescribeWorker lists the schemes");
    };
  }

  /** The contract's name of a scheme. */
  static dev.graft.v1.QuantizationScheme scheme(QuantizationScheme scheme) {
    return switch (scheme) {
      case NONE -> dev.graft.v1.QuantizationScheme.QUANTIZATION_SCHEME_NONE;
      case NF4 -> dev.graft.v1.QuantizationScheme.QUANTIZATION_SCHEME_NF4;
      case FP4 -> dev.graft.v1.QuantizationScheme.QUANTIZATION_SCHEME_FP4;
      case INT8 -> dev.graft.v1.QuantizationScheme.QUANTIZATION_SCHEME_INT8;
      case Q8_0 -> dev.graft.v1.QuantizationScheme.QUANTIZATION_SCHEME_Q8_0;
      case Q4_0 -> dev.graft.v1.QuantizationScheme.QUANTIZATION_SCHEME_Q4_0;
    };
  }

  private static boolean is4Bit(QuantizationScheme scheme) {
    return scheme == QuantizationScheme.NF4 || scheme == QuantizationScheme.FP4;
  }

  private static int blockSize(dev.graft.v1.QuantizeRequest request, QuantizationScheme scheme) {
    int asked = request.getBlockSize();
    if (asked == 0) {
      return DEFAULT_BLOCK_SIZE;
    }
    if (!is4Bit(scheme)) {
      throw invalid(
          "block_size", "is for NF4 and FP4; scheme " + scheme + " has blocks of its own");
    }
    if (Integer.bitCount(asked) != 1 || asked < LEAST_BLOCK_SIZE || asked > MOST_BLOCK_SIZE) {
      throw invalid(
          "block_size",
          "is "
              + Integer.toUnsignedString(asked)
              + "; it must be a power of two from "
              + LEAST_BLOCK_SIZE
              + " to "
              + MOST_BLOCK_SIZE);
    }
    return asked;
  }

  private static boolean doubleQuantization(
      dev.graft.v1.QuantizeRequest request, QuantizationScheme scheme) {
    if (request.getDoubleQuantization() && !is4Bit(scheme)) {
      throw invalid("double_quantization", "is for NF4 and FP4, not for scheme " + scheme);
    }
    return request.getDoubleQuantization();
  }

  private static Optional<StoredType> dataType(DataType type) {
    return switch (type) {
      case DATA_TYPE_UNSPECIFIED -> Optional.empty();
      case DATA_TYPE_F32 -> Optional.of(StoredType.F32);
      case DATA_TYPE_F16 -> Optional.of(StoredType.F16);
      case DATA_TYPE_BF16 -> Optional.of(StoredType.BF16);
      case UNRECOGNIZED -> throw invalid("data_type", "is no type that this worker knows");
    };
  }

  private static Optional<DType> computeDtype(ComputeDtype dtype) {
    return switch (dtype) {
      case COMPUTE_DTYPE_UNSPECIFIED -> Optional.empty();
      case COMPUTE_DTYPE_FP32 -> Optional.of(DType.F32);
      case COMPUTE_DTYPE_BF16 -> Optional.of(DType.BF16);
      case COMPUTE_DTYPE_FP16 -> Optional.of(DType.F16);
      case COMPUTE_DTYPE_INT8_DYNAMIC ->
          throw invalid("recorded_compute_dtype", "can be FP32, BF16 or FP16");
      case UNRECOGNIZED ->
          throw invalid("recorded_compute_dtype", "is no type that this worker knows");
    };
  }

  private static Optional<List<String>> skipModules(List<String> names) {
    for (String name : names) {
      if (!name.matches("[A-Za-z0-9_.-]+")) {
        throw invalid(
            "skip_modules",
            "has \"" + name + "\", which is no module's name; patterns are not understood");
      }
    }
    return names.isEmpty() ? Optional.empty() : Optional.of(names);
  }

  private static long shardBytes(long asked) {
    if (asked < 0) {
      throw invalid("max_shard_bytes", "must be below 2^63");
    }
    return asked == 0 ? DEFAULT_SHARD_BYTES : asked;
  }

  private static GraftException invalid(String field, String problem) {
    return GraftException.invalidArgument("INVALID_SPEC", field + " " + problem + ".")
        .with("field", field);
  }

  static QuantizeResponse message(QuantizeJob.TensorReport report) {
    return QuantizeResponse.newBuilder()
        .setTensor(
            QuantizedTensor.newBuilder()
                .setName(report.name())
                .setIndex(report.index())
                .setTotal(report.total())
                .setSourceBytes(report.sourceBytes())
                .setResultBytes(report.resultBytes())
                .setRelativeError(report.relativeError())
                .setMaxError(report.maxError()))
        .build();
  }

  static QuantizeResponse message(String name, long offset, long fileBytes, ByteBuffer data) {
    return QuantizeResponse.newBuilder()
        .setFile(
            QuantizedFile.newBuilder()
                .setName(name)
                .setChunk(
                    FileChunk.newBuilder()
                        .setOffset(offset)
                        .setTotalBytes(fileBytes)
                        .setData(ByteString.copyFrom(data))))
        .build();
  }

  static QuantizeResponse message(QuantizeJob.Result result) {
    return QuantizeResponse.newBuilder()
        .setResult(
            QuantizeResult.newBuilder()
                .setSourceBytes(result.sourceBytes())
                .setResultBytes(result.resultBytes())
                .setDigest(result.digest())
                .setDestination(result.destination().map(Path::toString).orElse(""))
                .setRelativeError(result.relativeError()))
        .build();
  }
}
