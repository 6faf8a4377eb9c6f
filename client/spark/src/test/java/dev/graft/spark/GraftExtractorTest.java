package dev.graft.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import dev.graft.client.GraftRpcException;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Overlength;
import dev.graft.v1.Pooling;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.Normalizer;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class GraftExtractorTest {
  private static final int MANY = 5_000; // three windows in each of two partitions

  /** How many tasks still have to fail; static, because tasks get copies of what they refer to. */
  private static final AtomicInteger failures = new AtomicInteger();

  private static SparkSession spark;
  private FakeWorker worker;

  @TempDir private Path directory;

  @BeforeAll
  static void startSpark() {
    spark = LocalSpark.start();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  @BeforeEach
  void startWorker() {
    worker = new FakeWorker();
  }

  @AfterEach
  void stopWorker() {
    worker.close();
  }

  private GraftExtractor extractor() {
    return new GraftExtractor()
        .setWorkers(worker.name())
        .setBackbone("model")
        .setInputCol("text")
        .setOutputCol("feature");
  }

  private static Dataset<Row> many() {
    return LocalSpark.texts(
        spark, IntStream.range(0, MANY).mapToObj(i -> "x".repeat(i % 40)).toList(), 2);
  }

  @Test
  void eachRowGetsItsFeatureInItsPlace() {
    Dataset<Row> features = extractor().transform(many());
    assertThat(features.schema().apply("feature").dataType().catalogString())
        .isEqualTo("array<float>");
    List<Row> rows = features.collectAsList();
    assertThat(rows).hasSize(MANY);
    for (int i = 0; i < MANY; i++) {
      Row row = rows.get(i);
      assertThat(row.getInt(0)).isEqualTo(i);
      assertThat(row.getString(1)).hasSize(i % 40);
      assertThat(row.<Float>getList(2)).startsWith((float) (i % 40), (float) (i % (MANY / 2)));
    }
  }

  @Test
  void aNullTextHasNoFeature() {
    List<String> texts = new ArrayList<>(List.of("one", "three"));
    texts.add(1, null);
    texts.add(null);
    List<Row> rows = extractor().transform(LocalSpark.texts(spark, texts, 2)).collectAsList();
    assertThat(rows).extracting(row -> row.isNullAt(2)).containsExactly(false, true, false, true);
    assertThat(rows.get(2).<Float>getList(2)).startsWith(5f, 0f);
  }

  @Test
  void rowsWithoutTextsNeedNoWorker() {
    worker.close();
    List<String> nulls = new ArrayList<>();
    nulls.add(null);
    assertThat(extractor().transform(LocalSpark.texts(spark, nulls, 2)).collectAsList()).hasSize(1);
  }

  @Test
  void theSpecIsWhatWasSet() {
    extractor()
        .setPooling("cls")
        .setLayer(-2)
        .setNormalize(true)
        .setComputeDtype("int8-dynamic")
        .setMaxTokens(12)
        .setOverlength("reject")
        .transform(LocalSpark.texts(spark, List.of("text"), 1))
        .collectAsList();
    assertThat(worker.specs.element().getFeatures())
        .isEqualTo(
            FeatureSpec.newBuilder()
                .setBackbone(Backbone.newBuilder().setPath("model"))
                .setPooling(Pooling.POOLING_CLS)
                .setLayer(-2)
                .setNormalize(true)
                .setComputeDtype(ComputeDtype.COMPUTE_DTYPE_INT8_DYNAMIC)
                .setMaxTokens(12)
                .setOverlength(Overlength.OVERLENGTH_REJECT)
                .build());
  }

  @Test
  void isAStageOfAPipelineThatIsSavedAndRead() throws Exception {
    PipelineStage[] stages = {
      extractor().setOutputType("vector"),
      new Normalizer().setInputCol("feature").setOutputCol("unit").setP(1)
    };
    Dataset<Row> texts = LocalSpark.texts(spark, List.of("four", "eight..."), 1);
    PipelineModel pipeline = new Pipeline().setStages(stages).fit(texts);
    String place = directory.resolve("pipeline").toString();
    pipeline.write().save(place);
    List<Row> rows = PipelineModel.load(place).transform(texts).collectAsList();
    assertThat(rows.get(0).schema().apply("feature").dataType())
        .isEqualTo(SQLDataTypes.VectorType());
    assertThat(rows)
        .extracting(row -> row.get(3))
        .containsExactly(Vectors.dense(1, 0, 0), Vectors.dense(8 / 10.0, 1 / 10.0, 1 / 10.0));
  }

  @Test
  void aCopyIsIndependent() {
    GraftExtractor original = extractor();
    GraftExtractor copy = original.copy(ParamMap.empty());
    copy.setBackbone("another");
    assertThat(copy.uid()).isEqualTo(original.uid());
    assertThat(copy.getInputCol()).isEqualTo("text");
    assertThat(original.getBackbone()).isEqualTo("model");
  }

  @Test
  void aLostWorkerChangesNothing() {
    List<Row> expected = extractor().transform(many()).collectAsList();
    try (FakeWorker other = new FakeWorker()) {
      AtomicInteger answered = new AtomicInteger();
      worker.answer =
          (items, responses) -> {
            if (answered.incrementAndGet() == 2) {
              worker.close();
            } else {
              FakeWorker.features(items, responses);
            }
          };
      assertThat(
              extractor()
                  .setWorkers(worker.name() + "," + other.name())
                  .transform(many())
                  .collectAsList())
          .isEqualTo(expected);
    }
  }

  @Test
  void aTaskThatIsTriedAgainChangesNothing() {
    List<Row> expected = extractor().transform(many()).collectAsList();
    failures.set(1);
    Dataset<Row> features = extractor().transform(many());
    MapPartitionsFunction<Row, Row> failing =
        rows -> {
          List<Row> passed = new ArrayList<>();
          while (rows.hasNext()) {
            passed.add(rows.next());
            if (passed.size() == 2_100 && failures.getAndDecrement() > 0) {
              throw new IllegalStateException("a failure of the test");
            }
          }
          return passed.iterator();
        };
    assertThat(features.mapPartitions(failing, Encoders.row(features.schema())).collectAsList())
        .isEqualTo(expected);
    assertThat(failures).hasNonPositiveValue();
  }

  @Test
  void aTextThatCannotBeComputedIsNamed() {
    worker.answer = (items, responses) -> responses.onError(tooLong());
    assertThatThrownBy(() -> extractor().transform(many()).collectAsList())
        .hasMessageMatching(
            "(?s).*Partition [01], row 7 \\(counted from 0\\): Item 7 is too long\\..*");
  }

  @Test
  void theReasonReachesTheDriver() {
    worker.answer = (items, responses) -> responses.onError(tooLong());
    assertThatThrownBy(() -> extractor().transform(many()).collectAsList())
        .cause()
        .isInstanceOf(GraftPartitionException.class)
        .cause()
        .isInstanceOfSatisfying(
            GraftRpcException.class,
            failed -> assertThat(failed.reason()).isEqualTo("ITEM_TOO_LONG"));
  }

  private static StatusRuntimeException tooLong() {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(Status.Code.INVALID_ARGUMENT.value())
            .setMessage("Item 7 is too long.")
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setReason("ITEM_TOO_LONG")
                        .putMetadata("item", "7")
                        .build()))
            .build());
  }

  @Test
  void anErrorOfTheSpecNamesTheRowsInWork() {
    worker.answer =
        (items, responses) ->
            responses.onError(Status.NOT_FOUND.withDescription("no model").asRuntimeException());
    assertThatThrownBy(() -> extractor().transform(many()).collectAsList())
        .hasMessageMatching(
            "(?s).*Partition [01], rows 0 to 2047 \\(counted from 0\\): .*no model.*");
  }

  @Test
  void wrongColumnsAreRefusedAtOnce() {
    Dataset<Row> texts = LocalSpark.texts(spark, List.of("text"), 1);
    assertThatThrownBy(() -> extractor().setInputCol("words").transform(texts))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no column 'words' (inputCol); there are: id, text");
    assertThatThrownBy(() -> extractor().setInputCol("id").transform(texts))
        .hasMessageContaining("column 'id' is int, but texts are strings");
    assertThatThrownBy(() -> extractor().setOutputCol("id").transform(texts))
        .hasMessageContaining("a column 'id' already; set another outputCol");
    assertThatThrownBy(
            () -> new GraftExtractor().setInputCol("text").setOutputCol("f").transform(texts))
        .hasMessageContaining("has no backbone; set it: a directory under");
  }

  @Test
  void unknownNamesAreRefused() {
    assertThatThrownBy(() -> extractor().setPooling("none"))
        .hasMessageContaining("pooling is 'none', but must be one of last, mean, cls, max");
    assertThatThrownBy(() -> extractor().setOutputType("list"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> extractor().setMaxTokens(0))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
