package dev.graft.spark;

import dev.graft.client.Tensors;
import dev.graft.v1.Content;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Projector;
import java.util.Optional;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A feature in, the probabilities of the classes and the most probable one out.
 *
 * @param column the features' place
 */
record Predictions(int column) implements RowCodec {
  /** The schema with the columns that predictions add. */
  static StructType schema(HasProjector<?> stage, StructType schema) {
    DataType type = schema.apply(column(stage, schema)).dataType();
    if (!Floats.areIn(type)) {
      throw new IllegalArgumentException(
          "%s: column '%s' is %s, but features are vectors, or arrays of floats or doubles"
              .formatted(stage.uid(), stage.getFeaturesCol(), type.simpleString()));
    }
    Settings.requireNew(stage, schema, stage.probabilityCol());
    StructType withProbability = schema.add(stage.getProbabilityCol(), SQLDataTypes.VectorType());
    Settings.requireNew(stage, withProbability, stage.predictionCol());
    return withProbability.add(stage.getPredictionCol(), DataTypes.DoubleType);
  }

  static int column(HasProjector<?> stage, StructType schema) {
    return Settings.column(stage, schema, stage.featuresCol());
  }

  /** The projector's shape; its output is as large as the number of classes. */
  static Projector.Builder projector(HasProjector<?> stage) {
    Projector.Builder projector =
        Projector.newBuilder()
            .setKindValue(EnumParam.number(stage, stage.projector()))
            .setActivationValue(EnumParam.number(stage, stage.activation()));
    if (stage.isDefined(stage.hiddenSizes())) {
      for (int size : stage.getHiddenSizes()) {
        projector.addHiddenSizes(size);
      }
    }
    return projector;
  }

  @Override
  public Optional<Content> input(Row row) {
    float[] feature = Floats.in(row, column);
    return feature == null
        ? Optional.empty()
        : Optional.of(
            Content.newBuilder().setFeatures(Tensors.fromFloats(feature, feature.length)).build());
  }

  @Override
  public Object[] output(ItemResult result) {
    float[] probabilities = Tensors.toFloats(result.getProbabilities());
    int best = 0;
    for (int i = 1; i < probabilities.length; i++) {
      if (probabilities[i] > probabilities[best]) {
        best = i;
      }
    }
    return new Object[] {Vectors.dense(Floats.widened(probabilities)), (double) best};
  }

  @Override
  public Object[] outputOfNothing() {
    return new Object[] {null, null};
  }
}
