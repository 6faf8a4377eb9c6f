package dev.graft.spark;

import com.google.protobuf.ByteString;
import dev.graft.client.Tensors;
import dev.graft.v1.Content;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.ItemResult;
import java.util.Optional;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsReadable;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Computes the features of a text column on the workers of a farm. A row whose text is null has
 * null as its feature.
 *
 * <p>The feature column is {@code array<float>} unless said otherwise: the very values that the
 * workers computed, in Parquet four bytes each and a plain list of FLOAT to whoever reads it. A
 * vector of Spark ML holds doubles, of which half the bytes say nothing here, and is a struct of
 * four fields in Parquet. But most of Spark's own estimators take nothing else: for a pipeline with
 * them set {@linkplain #setOutputType the type} {@code vector}. {@link GraftClassifier} takes both.
 *
 * <p>Features are the same whatever is lost and tried again. They depend, in their last bits, on
 * which rows are in a partition and in which order, because texts are computed together with those
 * beside them.
 *
 * <p>A task fails with a {@link GraftPartitionException} that names the row where a text cannot be
 * computed, and the rows in work where no worker is left.
 */
public final class GraftExtractor extends Transformer
    implements HasWorkers<GraftExtractor>, HasFeatureSpec<GraftExtractor>, DefaultParamsWritable {
  private static final String ARRAY = "array";
  private static final String VECTOR = "vector";

  private final String uid;

  public GraftExtractor() {
    this(Identifiable$.MODULE$.randomUID("graftExtractor"));
  }

  /** For Spark, which makes copies and reads saved stages with it. */
  public GraftExtractor(String uid) {
    this.uid = uid;
    setDefault(outputType(), ARRAY);
  }

  @Override
  public String uid() {
    return uid;
  }

  /** The column with the texts. */
  public Param<String> inputCol() {
    return new Param<>(this, "inputCol", "the column with the texts");
  }

  /** The column to add. */
  public Param<String> outputCol() {
    return new Param<>(this, "outputCol", "the column to add, with the features");
  }

  /** The type of the column that is added. */
  public Param<String> outputType() {
    return new Param<>(
        this,
        "outputType",
        "the type of the column with the features: array (of floats) or vector",
        ParamValidators.inArray(new String[] {ARRAY, VECTOR}));
  }

  public String getInputCol() {
    return getOrDefault(inputCol());
  }

  public String getOutputCol() {
    return getOrDefault(outputCol());
  }

  public String getOutputType() {
    return getOrDefault(outputType());
  }

  /** Sets the column with the texts; must be set. */
  public GraftExtractor setInputCol(String name) {
    return Settings.set(this, inputCol(), name);
  }

  /** Sets the column that is added; must be set. */
  public GraftExtractor setOutputCol(String name) {
    return Settings.set(this, outputCol(), name);
  }

  /** {@code array} (of floats) or {@code vector} (of Spark ML). Default: array. */
  public GraftExtractor setOutputType(String name) {
    return Settings.set(this, outputType(), name);
  }

  @Override
  public StructType transformSchema(StructType schema) {
    int input = Settings.column(this, schema, inputCol());
    DataType type = schema.apply(input).dataType();
    if (!type.equals(DataTypes.StringType)) {
      throw new IllegalArgumentException(
          "%s: column '%s' is %s, but texts are strings"
              .formatted(uid, getInputCol(), type.simpleString()));
    }
    Settings.requireNew(this, schema, outputCol());
    return schema.add(getOutputCol(), isVector() ? SQLDataTypes.VectorType() : Floats.TYPE);
  }

  private boolean isVector() {
    return getOutputType().equals(VECTOR);
  }

  @Override
  public Dataset<Row> transform(Dataset<?> rows) {
    StructType schema = transformSchema(rows.schema());
    ExtractSpec spec = ExtractSpec.newBuilder().setFeatures(features()).build();
    return PartitionStage.over(
        rows,
        schema,
        Settings.farm(this),
        new PartitionStage.Job(spec, ByteString.EMPTY),
        new Texts(Settings.column(this, rows.schema(), inputCol()), isVector()));
  }

  private FeatureSpec features() {
    FeatureSpec.Builder spec = FeatureSpec.newBuilder();
    spec.getBackboneBuilder().setPath(Settings.required(this, backbone()));
    spec.setPoolingValue(EnumParam.number(this, pooling()))
        .setComputeDtypeValue(EnumParam.number(this, computeDtype()))
        .setOverlengthValue(EnumParam.number(this, overlength()));
    if (isDefined(layer())) {
      spec.setLayer(getLayer());
    }
    if (isDefined(normalize())) {
      spec.setNormalize(getNormalize());
    }
    if (isDefined(maxTokens())) {
      spec.setMaxTokens(getMaxTokens());
    }
    return spec.build();
  }

  /** A text in, a feature out. */
  private record Texts(int column, boolean isVector) implements RowCodec {
    @Override
    public Optional<Content> input(Row row) {
      return row.isNullAt(column)
          ? Optional.empty()
          : Optional.of(Content.newBuilder().setText(row.getString(column)).build());
    }

    @Override
    public Object[] output(ItemResult result) {
      float[] feature = Tensors.toFloats(result.getFeatures());
      return new Object[] {isVector ? Vectors.dense(Floats.widened(feature)) : feature};
    }

    @Override
    public Object[] outputOfNothing() {
      return new Object[] {null};
    }
  }

  @Override
  public GraftExtractor copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  /** Reads what {@code save} wrote. */
  public static GraftExtractor load(String path) {
    return read().load(path);
  }

  /** For Spark, which reads the stages of a pipeline with it. */
  public static MLReader<GraftExtractor> read() {
    return new DefaultParamsReadable<GraftExtractor>() {}.read();
  }
}
