package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.Pooling;
import dev.graft.server.jobs.ExtractJob;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.v1.DataType;
import dev.graft.v1.ItemResult;
import dev.graft.v1.ResultBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ResultEncoderTest {
  private static final int COLUMNS = 8;

  @Test
  void messagesKeepToAnyLimit() {
    for (int limit : new int[] {256, 1000, 64 * 1024, 1 << 20}) {
      List<ResultBatch> messages = encode(limit, Pooling.NONE, result(0, 100), result(1, 3));
      assertThat(messages)
          .allSatisfy(
              message -> assertThat(message.getSerializedSize()).isLessThanOrEqualTo(limit));
      assertThat(rows(messages, 0)).isEqualTo(100);
      assertThat(rows(messages, 1)).isEqualTo(3);
    }
  }

  @Test
  void aLimitBelowARowGivesRowsOneByOne() {
    List<ResultBatch> messages = encode(1, Pooling.NONE, result(0, 3));
    assertThat(messages).hasSize(3).allSatisfy(one -> assertThat(one.getResultsCount()).isOne());
  }

  @Test
  void smallResultsShareAMessage() {
    assertThat(encode(1 << 20, Pooling.LAST, result(0, 1), result(1, 1))).hasSize(1);
  }

  private static List<ResultBatch> encode(
      int limit, Pooling pooling, ExtractJob.Result... results) {
    FeatureSpec spec = new FeatureSpec(pooling, 1, false, ComputeDtype.FP32, 128, false);
    List<ResultBatch> messages = new ArrayList<>();
    new ResultEncoder(DataType.DATA_TYPE_F32, Optional.of(spec), false, limit)
        .encode(List.of(results), messages::add);
    return messages;
  }

  private static ExtractJob.Result result(long number, int tokens) {
    return new ExtractJob.Result(number, new float[tokens * COLUMNS], tokens, 0, null);
  }

  private static long rows(List<ResultBatch> messages, long number) {
    return messages.stream()
        .flatMap(message -> message.getResultsList().stream())
        .filter(part -> part.getNumber() == number)
        .map(ItemResult::getFeatures)
        .mapToLong(features -> features.getShape(0))
        .sum();
  }
}
