package dev.graft.server.rpc;

import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.Pooling;
import dev.graft.server.jobs.ExtractJob;
import dev.graft.v1.DataType;
import dev.graft.v1.ItemResult;
import dev.graft.v1.ResultBatch;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Encodes results into messages that keep to the limit. */
final class ResultEncoder {
  /** Bytes of a message that results leave to what surrounds them. */
  private static final int OVERHEAD_BYTES = 64 * 1024;

  /** Bytes that a part's tag and length take. */
  private static final int FIELD_BYTES = 6;

  /** Bytes of an item's part apart from its values, at most. */
  private static final int PART_BYTES = 64;

  private final DataType type;
  private final boolean perToken;
  private final boolean predictionsOnly;
  private final int mostBytes;

  ResultEncoder(
      DataType type, Optional<FeatureSpec> spec, boolean predictionsOnly, int maxMessageBytes) {
    this.type = type;
    this.perToken = spec.isPresent() && spec.get().pooling() == Pooling.NONE;
    this.predictionsOnly = predictionsOnly;
    this.mostBytes = maxMessageBytes - Math.min(OVERHEAD_BYTES, maxMessageBytes / 2);
  }

  void encode(List<ExtractJob.Result> results, Consumer<ResultBatch> sink) {
    ResultBatch.Builder batch = ResultBatch.newBuilder();
    int bytes = 0;
    for (ExtractJob.Result result : results) {
      // A ready feature is one row, although it stands for no token.
      int rows = perToken ? Math.max(1, result.tokens()) : 1;
      int columns = result.features().length / rows;
      long rowBytes = (long) columns * TensorCodec.bytes(type);
      int rowsPerPart = (int) Math.max(1, (mostBytes - PART_BYTES) / Math.max(1, rowBytes));
      for (int row = 0; row < rows; row += rowsPerPart) {
        ItemResult part = part(result, row, Math.min(rows, row + rowsPerPart), columns);
        if (bytes > 0 && bytes + part.getSerializedSize() + FIELD_BYTES > mostBytes) {
          sink.accept(batch.build());
          batch.clear();
          bytes = 0;
        }
        batch.addResults(part);
        bytes += part.getSerializedSize() + FIELD_BYTES;
      }
    }
    sink.accept(batch.build());
  }

  private ItemResult part(ExtractJob.Result result, int firstRow, int endRow, int columns) {
    ItemResult.Builder part =
        ItemResult.newBuilder()
            .setNumber(result.number())
            .setFirstRow(firstRow)
            .setTokens(result.tokens())
            .setTruncatedTokens(result.truncatedTokens());
    if (!predictionsOnly) {
      long[] shape =
          perToken && result.tokens() > 0
              ? new long[] {endRow - firstRow, columns}
              : new long[] {columns};
      part.setFeatures(
          TensorCodec.encode(result.features(), firstRow * columns, endRow * columns, type, shape));
    }
    if (result.prediction() != null) {
      part.setLogits(vector(result.prediction().logits()));
      if (result.prediction().probabilities() != null) {
        part.setProbabilities(vector(result.prediction().probabilities()));
      }
    }
    return part.build();
  }

  private static dev.graft.v1.Tensor vector(float[] values) {
    return TensorCodec.encode(values, 0, values.length, DataType.DATA_TYPE_F32, values.length);
  }
}
