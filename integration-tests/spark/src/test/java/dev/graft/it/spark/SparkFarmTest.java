package dev.graft.it.spark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.spark.GraftClassificationModel;
import dev.graft.spark.GraftClassifier;
import dev.graft.spark.GraftExtractor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.api.java.function.FilterFunction;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Spark jobs over two workers in processes of their own. */
@Timeout(600)
class SparkFarmTest {
  private static final int ROWS = Boolean.getBoolean("graft.nightly") ? 100_000 : 2_000;
  private static final int PARTITIONS = 8;

  /** Sequences of 20 to 99 words. */
  private static final String WORDS =
      "concat_ws(' ', transform(sequence(1, 20 + id % 80), i -> concat('w', (id * 31 + i * i * 7) %"
          + " 99))) AS text";

  /** What happens in the middle; static, because tasks get copies of what they refer to. */
  private static final List<WorkerProcess> workers = new ArrayList<>();

  private static final AtomicLong passed = new AtomicLong();

  @TempDir private static Path models;
  private static SparkSession spark;

  @TempDir private Path directory;

  @BeforeAll
  static void start() throws Exception {
    TinyTextModel.write(models);
    spark =
        SparkSession.builder()
            .master("local[2]")
            .appName("graft")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", 2)
            .config("spark.sql.warehouse.dir", models.resolve("warehouse").toString())
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @BeforeEach
  void startWorkers() throws Exception {
    for (int i = 0; i < 2; i++) {
      workers.add(WorkerProcess.serve(models));
    }
  }

  @AfterEach
  void stopWorkers() {
    workers.forEach(WorkerProcess::close);
    workers.clear();
  }

  private static GraftExtractor extractor() {
    return new GraftExtractor()
        .setWorkers(WorkerProcess.addresses(workers))
        .setBackbone(TinyTextModel.NAME)
        .setPooling("mean")
        .setComputeDtype("fp32")
        .setInputCol("text")
        .setOutputCol("features");
  }

  @Test
  void aWorkerThatIsKilledChangesNothing() {
    Dataset<Row> texts = spark.range(0, ROWS, 1, PARTITIONS).selectExpr("id", WORDS);
    String undisturbed = directory.resolve("undisturbed").toString();
    extractor().transform(texts).write().parquet(undisturbed);

    String disturbed = directory.resolve("disturbed").toString();
    passed.set(0);
    FilterFunction<Row> killing = row -> pass();
    extractor().transform(texts).filter(killing).write().parquet(disturbed);

    assertThat(workers).as("one of two was killed").hasSize(1);
    Iterator<Row> expected = spark.read().parquet(undisturbed).orderBy("id").toLocalIterator();
    Iterator<Row> actual = spark.read().parquet(disturbed).orderBy("id").toLocalIterator();
    for (long id = 0; id < ROWS; id++) {
      Row row = actual.next();
      assertThat(row.getLong(0)).isEqualTo(id);
      assertThat(row.<Float>getList(2)).hasSize(48).isEqualTo(expected.next().getList(2));
    }
    assertThat(actual.hasNext()).isFalse();
    assertThat(expected.hasNext()).isFalse();
  }

  /** Lets a row pass, and kills a worker that is at work when a third of the rows have. */
  private static boolean pass() {
    if (passed.incrementAndGet() == ROWS / 3) {
      while (workers.size() == 2) { // the other task goes on
        workers.stream().filter(WorkerProcess::isAtWork).findFirst().ifPresent(SparkFarmTest::kill);
      }
    }
    return true;
  }

  private static void kill(WorkerProcess worker) {
    worker.close();
    workers.remove(worker);
  }

  @Test
  void aPipelineLearnsToTellClassesApart() throws Exception {
    // The class decides which words are frequent.
    Dataset<Row> texts =
        spark
            .range(0, 300, 1, 2)
            .selectExpr(
                "id % 3 AS label",
                "concat_ws(' ', transform(sequence(1, 5 + id % 7), i -> concat('w', if(i % 3 = 0,"
                    + " (id + i) % 99, id % 3 * 30 + (id * 13 + i) % 20)))) AS text");
    GraftClassifier classifier =
        new GraftClassifier()
            .setWorkers(WorkerProcess.addresses(workers))
            .setProjector("mlp")
            .setLearningRate(1e-2)
            .setNumTrainEpochs(10);
    PipelineModel model =
        new Pipeline().setStages(new PipelineStage[] {extractor(), classifier}).fit(texts);
    Dataset<Row> predictions = model.transform(texts);
    assertThat(
            new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(predictions))
        .isGreaterThan(0.9);

    String place = directory.resolve("model").toString();
    model.write().save(place);
    assertThat(PipelineModel.load(place).transform(texts).collectAsList())
        .isEqualTo(predictions.collectAsList());

    GraftClassificationModel again =
        classifier.fit(extractor().transform(texts)); // the same rows: the same bytes
    assertThat(again.projectorFile())
        .isEqualTo(((GraftClassificationModel) model.stages()[1]).projectorFile());
  }
}
