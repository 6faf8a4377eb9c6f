package dev.graft.spark;

import com.google.protobuf.ByteString;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Probabilities;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReadable;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Predicts classes with a projector that {@link GraftClassifier} trained, on the workers of a farm.
 * A row whose features are null has null as its prediction.
 *
 * <p>Saved, it is the parameters as Spark writes them, and {@code projector.safetensors}: the
 * tensors of a {@code torch.nn.Linear} or {@code torch.nn.Sequential}.
 */
public final class GraftClassificationModel extends Model<GraftClassificationModel>
    implements HasWorkers<GraftClassificationModel>,
        HasProjector<GraftClassificationModel>,
        DefaultParamsWritable {
  private final String uid;
  private ByteString projectorFile = ByteString.EMPTY; // as long as Spark is reading it

  /** For Spark, which reads saved stages with it. */
  public GraftClassificationModel(String uid) {
    this.uid = uid;
  }

  GraftClassificationModel(String uid, ByteString projectorFile) {
    this.uid = uid;
    this.projectorFile = projectorFile;
  }

  @Override
  public String uid() {
    return uid;
  }

  /** The trained projector: a safetensors file. */
  public byte[] projectorFile() {
    return projectorFile.toByteArray();
  }

  @Override
  public StructType transformSchema(StructType schema) {
    return Predictions.schema(this, schema);
  }

  @Override
  public Dataset<Row> transform(Dataset<?> rows) {
    StructType schema = transformSchema(rows.schema());
    ExtractSpec.Builder spec = ExtractSpec.newBuilder().setPredictionsOnly(true);
    spec.getProjectorBuilder()
        .setProjector(Predictions.projector(this))
        .setProbabilities(Probabilities.PROBABILITIES_SOFTMAX);
    return PartitionStage.over(
        rows,
        schema,
        Settings.farm(this),
        new PartitionStage.Job(spec.build(), projectorFile),
        new Predictions(Predictions.column(this, rows.schema())));
  }

  @Override
  public GraftClassificationModel copy(ParamMap extra) {
    GraftClassificationModel copy = new GraftClassificationModel(uid, projectorFile);
    return copyValues(copy, extra).setParent(parent());
  }

  @Override
  public MLWriter write() {
    MLWriter parameters = DefaultParamsWritable.super.write();
    return new MLWriter() {
      @Override
      public void saveImpl(String path) {
        try {
          parameters.session(sparkSession()).save(path);
          ProjectorFile.write(sparkSession(), path, projectorFile);
        } catch (IOException failed) {
          throw new UncheckedIOException(
              "the model cannot be saved in %s: %s".formatted(path, failed.getMessage()), failed);
        }
      }
    };
  }

  /** Reads what {@code save} wrote. */
  public static GraftClassificationModel load(String path) {
    return read().load(path);
  }

  /** For Spark, which reads the stages of a pipeline with it. */
  public static MLReader<GraftClassificationModel> read() {
    MLReader<GraftClassificationModel> parameters =
        new DefaultParamsReadable<GraftClassificationModel>() {}.read();
    return new MLReader<>() {
      @Override
      public GraftClassificationModel load(String path) {
        GraftClassificationModel model = parameters.session(sparkSession()).load(path);
        model.projectorFile = ProjectorFile.read(sparkSession(), path);
        return model;
      }
    };
  }
}
