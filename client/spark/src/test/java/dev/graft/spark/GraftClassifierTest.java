package dev.graft.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.client.Tensors;
import dev.graft.v1.Activation;
import dev.graft.v1.Item;
import dev.graft.v1.Probabilities;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import io.grpc.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class GraftClassifierTest {
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
    worker.answer = FakeWorker::probabilities;
  }

  @AfterEach
  void stopWorker() {
    worker.close();
  }

  private GraftClassifier classifier() {
    return new GraftClassifier().setWorkers(worker.name());
  }

  /** Rows with features and an integer label, in two partitions. */
  private static Dataset<Row> examples(DataType features, Row... rows) {
    StructType schema =
        new StructType().add("features", features).add("label", DataTypes.IntegerType);
    return LocalSpark.rows(spark, List.of(rows), schema, 2);
  }

  private static Dataset<Row> fourExamples() {
    return examples(
        Floats.TYPE,
        RowFactory.create(new float[] {0.25f, 1}, 0),
        RowFactory.create(new float[] {0.75f, 2}, 1),
        RowFactory.create(new float[] {0.875f, 3}, 1),
        RowFactory.create(new float[] {0, 4}, 0));
  }

  private static List<Item> items(List<TrainRequest> requests) {
    return requests.stream()
        .flatMap(request -> request.getTrainItems().getItemsList().stream())
        .toList();
  }

  @Test
  void trainsOnTheRowsInTheirOrder() {
    GraftClassificationModel model =
        classifier()
            .setProjector("mlp")
            .setHiddenSizes(16, 8)
            .setActivation("tanh")
            .setDropout(0.5)
            .setLearningRate(0.01)
            .setNumTrainEpochs(7)
            .setPerDeviceTrainBatchSize(4)
            .setWeightDecay(0.25)
            .setWarmupRatio(0.125)
            .setSeed(3)
            .fit(fourExamples());
    assertThat(model.projectorFile()).isEqualTo(FakeWorker.PROJECTOR.toByteArray());
    List<TrainRequest> requests = worker.trainings.element();
    Projector projector =
        Projector.newBuilder()
            .setKind(ProjectorKind.PROJECTOR_KIND_MLP)
            .addHiddenSizes(16)
            .addHiddenSizes(8)
            .setActivation(Activation.ACTIVATION_TANH)
            .setDropout(0.5f)
            .build();
    TrainSpec.Builder spec =
        TrainSpec.newBuilder()
            .setProjector(projector)
            .setArguments(
                TrainingArguments.newBuilder()
                    .setLearningRate(0.01)
                    .setNumTrainEpochs(7)
                    .setPerDeviceTrainBatchSize(4)
                    .setWeightDecay(0.25)
                    .setWarmupRatio(0.125)
                    .setSeed(3));
    spec.getObjectiveBuilder().getCrossEntropyBuilder().setNumClasses(2);
    assertThat(requests.get(0).getSpec()).isEqualTo(spec.build());
    List<Item> items = items(requests);
    assertThat(items)
        .extracting(item -> Tensors.toFloats(item.getContent().getFeatures()))
        .containsExactly(
            new float[] {0.25f, 1},
            new float[] {0.75f, 2},
            new float[] {0.875f, 3},
            new float[] {0, 4});
    assertThat(items)
        .extracting(item -> item.getLabel().getClassIndex())
        .containsExactly(0, 1, 1, 0);
    assertThat(items).extracting(Item::getNumber).containsExactly(0L, 1L, 2L, 3L);
  }

  @Test
  void predictsProbabilitiesAndTheMostProbableClass() {
    GraftClassificationModel model = classifier().fit(fourExamples());
    List<Row> rows =
        new ArrayList<>(
            model.transform(fourExamples()).select("probability", "prediction").collectAsList());
    assertThat(rows)
        .containsExactly(
            RowFactory.create(Vectors.dense(0.75, 0.25), 0.0),
            RowFactory.create(Vectors.dense(0.25, 0.75), 1.0),
            RowFactory.create(Vectors.dense(0.125, 0.875), 1.0),
            RowFactory.create(Vectors.dense(1, 0), 0.0));
    assertThat(worker.projectorFiles).containsOnly(FakeWorker.PROJECTOR).hasSize(2);
    assertThat(worker.specs)
        .allSatisfy(
            spec -> {
              assertThat(spec.getPredictionsOnly()).isTrue();
              assertThat(spec.getFeatures().hasBackbone()).isFalse();
              assertThat(spec.getProjector().getProbabilities())
                  .isEqualTo(Probabilities.PROBABILITIES_SOFTMAX);
            });
    assertThat(
            new MulticlassClassificationEvaluator()
                .setMetricName("accuracy")
                .evaluate(model.transform(fourExamples())))
        .isEqualTo(1);
  }

  @Test
  void vectorsAndDoublesAreFeaturesToo() {
    List<Item> floats = trainedOn(fourExamples());
    assertThat(
            trainedOn(
                examples(
                    SQLDataTypes.VectorType(),
                    RowFactory.create(Vectors.dense(0.25, 1), 0),
                    RowFactory.create(Vectors.dense(0.75, 2), 1),
                    RowFactory.create(Vectors.dense(0.875, 3), 1),
                    RowFactory.create(Vectors.sparse(2, new int[] {1}, new double[] {4}), 0))))
        .isEqualTo(floats);
    assertThat(
            trainedOn(
                examples(
                    DataTypes.createArrayType(DataTypes.DoubleType),
                    RowFactory.create(new double[] {0.25, 1}, 0),
                    RowFactory.create(new double[] {0.75, 2}, 1),
                    RowFactory.create(new double[] {0.875, 3}, 1),
                    RowFactory.create(new double[] {0, 4}, 0))))
        .isEqualTo(floats);
  }

  private List<Item> trainedOn(Dataset<Row> examples) {
    worker.trainings.clear();
    classifier().fit(examples);
    return items(worker.trainings.element());
  }

  @Test
  void aTrainingThatMovesIsGivenTheSameRows() {
    AtomicInteger attempts = new AtomicInteger();
    worker.train =
        (requests, responses) -> {
          if (attempts.incrementAndGet() == 1) {
            responses.onError(Status.UNAVAILABLE.asRuntimeException());
          } else {
            FakeWorker.trained(responses);
          }
        };
    classifier().fit(fourExamples());
    List<List<TrainRequest>> trainings = List.copyOf(worker.trainings);
    assertThat(trainings).hasSize(2);
    assertThat(items(trainings.get(1))).isEqualTo(items(trainings.get(0))).hasSize(4);
  }

  @Test
  void isAStageOfAPipelineThatIsSavedAndRead() throws Exception {
    PipelineModel pipeline =
        new Pipeline().setStages(new PipelineStage[] {classifier()}).fit(fourExamples());
    List<Row> expected = pipeline.transform(fourExamples()).collectAsList();
    Path place = directory.resolve("pipeline");
    pipeline.write().save(place.toString());
    PipelineModel read = PipelineModel.load(place.toString());
    assertThat(read.transform(fourExamples()).collectAsList()).isEqualTo(expected);

    GraftClassificationModel model = (GraftClassificationModel) read.stages()[0];
    Path alone = directory.resolve("model");
    model.save(alone.toString());
    assertThat(alone.resolve("projector.safetensors"))
        .hasBinaryContent(FakeWorker.PROJECTOR.toByteArray());
    model.write().overwrite().save(alone.toString());
    assertThat(GraftClassificationModel.load(alone.toString()).projectorFile())
        .isEqualTo(FakeWorker.PROJECTOR.toByteArray());
    Files.delete(alone.resolve("projector.safetensors"));
    assertThatThrownBy(() -> GraftClassificationModel.load(alone.toString()))
        .hasMessageContaining("projector.safetensors cannot be read");

    Path unfitted = directory.resolve("classifier");
    classifier().setLearningRate(0.5).save(unfitted.toString());
    assertThat(GraftClassifier.load(unfitted.toString()).getLearningRate()).isEqualTo(0.5);
  }

  @Test
  void rowsWithoutFeaturesHaveNoPrediction() {
    GraftClassificationModel model = classifier().fit(fourExamples());
    Dataset<Row> rows =
        examples(Floats.TYPE, RowFactory.create(null, 0), RowFactory.create(new float[] {1}, 1));
    assertThat(model.transform(rows).select("prediction").collectAsList())
        .containsExactly(RowFactory.create((Object) null), RowFactory.create(1.0));
  }

  @Test
  void aRowWithANullAmongItsFeaturesIsNamed() {
    GraftClassificationModel model = classifier().fit(fourExamples());
    Dataset<Row> rows =
        fourExamples().selectExpr("array(cast(null as float), 1f) as features", "label");
    assertThatThrownBy(() -> model.transform(rows).collectAsList())
        .hasMessageContaining("row 0 (counted from 0): there is a null among the 2 values");
  }

  @Test
  void rowsThatCannotBeTrainedOnAreRefused() {
    float[] feature = {1};
    assertRefused("there are no rows to train on", examples(Floats.TYPE));
    assertRefused(
        "1 of 2 rows have no features",
        examples(Floats.TYPE, RowFactory.create(feature, 0), RowFactory.create(null, 1)));
    assertRefused(
        "1 of 2 rows have no label",
        examples(Floats.TYPE, RowFactory.create(feature, 0), RowFactory.create(feature, null)));
    assertRefused(
        "they are between -1.0 and 1.0",
        examples(Floats.TYPE, RowFactory.create(feature, -1), RowFactory.create(feature, 1)));
    assertRefused(
        "from 0 to at least 1",
        examples(Floats.TYPE, RowFactory.create(feature, 0), RowFactory.create(feature, 0)));
    Dataset<Row> fractions =
        examples(Floats.TYPE, RowFactory.create(feature, 1), RowFactory.create(feature, 3))
            .selectExpr("features", "label / 2 as label");
    assertRefused("2 of them are not whole", fractions);
    assertThatThrownBy(
            () -> classifier().fit(fourExamples().selectExpr("features", "string(label) as label")))
        .hasMessageContaining("labels are numbers; see StringIndexer");
    assertThatThrownBy(() -> classifier().setFeaturesCol("label").fit(fourExamples()))
        .hasMessageContaining("features are vectors, or arrays of floats or doubles");
  }

  private void assertRefused(String message, Dataset<Row> rows) {
    assertThatThrownBy(() -> classifier().fit(rows))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThat(worker.trainings).isEmpty();
  }
}
