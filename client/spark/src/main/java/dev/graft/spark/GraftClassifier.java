package dev.graft.spark;

import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsReadable;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;

/**
 * Trains a projector on a column of features that tells classes apart, on one worker of a farm.
 * Another goes on from the last checkpoint if that one is lost.
 *
 * <p>Features, from {@link GraftExtractor} or elsewhere, are a column of vectors, or of arrays of
 * floats or doubles. Labels are numbers: 0, 1, … up to the largest that occurs. Rows go from the
 * executors over the driver, a partition at a time, to the worker, which keeps them in memory: 8
 * GiB in all unless it was started with another limit. They are cached while they are trained on,
 * unless they were cached before.
 *
 * <p>Hyperparameters have the names and defaults of transformers' {@code TrainingArguments}. With
 * the same rows in the same order, the projector has the same bytes.
 */
public final class GraftClassifier extends Estimator<GraftClassificationModel>
    implements HasWorkers<GraftClassifier>, HasProjector<GraftClassifier>, DefaultParamsWritable {
  private final String uid;

  public GraftClassifier() {
    this(Identifiable$.MODULE$.randomUID("graftClassifier"));
  }

  /** For Spark, which makes copies and reads saved stages with it. */
  public GraftClassifier(String uid) {
    this.uid = uid;
    setDefault(featuresCol(), "features");
    setDefault(predictionCol(), "prediction");
    setDefault(probabilityCol(), "probability");
    setDefault(labelCol(), "label");
    setDefault(projector(), "linear");
  }

  @Override
  public String uid() {
    return uid;
  }

  /** The column with the labels. */
  public Param<String> labelCol() {
    return new Param<>(this, "labelCol", "the column with the labels: 0, 1, …");
  }

  /** The share of an MLP's hidden values that are zeroed while training. */
  public DoubleParam dropout() {
    return new DoubleParam(
        this,
        "dropout",
        "share of hidden values that are zeroed in training, from 0 to below 1",
        ParamValidators.inRange(0, 1, true, false));
  }

  /** The peak learning rate. */
  public DoubleParam learningRate() {
    return new DoubleParam(
        this, "learningRate", "peak learning rate, at least 0", ParamValidators.gtEq(0));
  }

  /** Passes over the rows. */
  public DoubleParam numTrainEpochs() {
    return new DoubleParam(
        this, "numTrainEpochs", "passes over the rows, above 0", ParamValidators.gt(0));
  }

  /** Rows of a batch. */
  public IntParam perDeviceTrainBatchSize() {
    return new IntParam(
        this, "perDeviceTrainBatchSize", "rows of a batch, at least 1", ParamValidators.gt(0));
  }

  /** The decoupled weight decay. */
  public DoubleParam weightDecay() {
    return new DoubleParam(
        this, "weightDecay", "decoupled weight decay, at least 0", ParamValidators.gtEq(0));
  }

  /** The share of all steps in which the learning rate rises. */
  public DoubleParam warmupRatio() {
    return new DoubleParam(
        this,
        "warmupRatio",
        "share of all steps in which the learning rate rises, from 0 to 1",
        ParamValidators.inRange(0, 1));
  }

  /** What random numbers follow from. */
  public LongParam seed() {
    return new LongParam(
        this,
        "seed",
        "what initialization, order and dropout follow from, at least 0",
        ParamValidators.gtEq(0));
  }

  public String getLabelCol() {
    return getOrDefault(labelCol());
  }

  public double getDropout() {
    return (double) getOrDefault(dropout());
  }

  public double getLearningRate() {
    return (double) getOrDefault(learningRate());
  }

  public double getNumTrainEpochs() {
    return (double) getOrDefault(numTrainEpochs());
  }

  public int getPerDeviceTrainBatchSize() {
    return (int) getOrDefault(perDeviceTrainBatchSize());
  }

  public double getWeightDecay() {
    return (double) getOrDefault(weightDecay());
  }

  public double getWarmupRatio() {
    return (double) getOrDefault(warmupRatio());
  }

  public long getSeed() {
    return (long) getOrDefault(seed());
  }

  /** Default: label. */
  public GraftClassifier setLabelCol(String name) {
    return Settings.set(this, labelCol(), name);
  }

  /** {@code linear} or {@code mlp}. Default: linear. */
  public GraftClassifier setProjector(String name) {
    return Settings.set(this, projector(), name);
  }

  /** Each from 1 to 65,536, at most 8. Default: one hidden layer of the feature's size. */
  public GraftClassifier setHiddenSizes(int... sizes) {
    return Settings.set(this, hiddenSizes(), sizes);
  }

  /** {@code gelu}, {@code relu}, {@code silu} or {@code tanh}. Default: gelu. */
  public GraftClassifier setActivation(String name) {
    return Settings.set(this, activation(), name);
  }

  /** Default: 0. */
  public GraftClassifier setDropout(double share) {
    return Settings.set(this, dropout(), share);
  }

  /** Default: 5e-5. */
  public GraftClassifier setLearningRate(double rate) {
    return Settings.set(this, learningRate(), rate);
  }

  /** Default: 3. */
  public GraftClassifier setNumTrainEpochs(double epochs) {
    return Settings.set(this, numTrainEpochs(), epochs);
  }

  /** Default: 8. */
  public GraftClassifier setPerDeviceTrainBatchSize(int rows) {
    return Settings.set(this, perDeviceTrainBatchSize(), rows);
  }

  /** Default: 0. */
  public GraftClassifier setWeightDecay(double decay) {
    return Settings.set(this, weightDecay(), decay);
  }

  /** Default: 0. */
  public GraftClassifier setWarmupRatio(double share) {
    return Settings.set(this, warmupRatio(), share);
  }

  /** Default: 42. */
  public GraftClassifier setSeed(long number) {
    return Settings.set(this, seed(), number);
  }

  @Override
  public StructType transformSchema(StructType schema) {
    int label = Settings.column(this, schema, labelCol());
    if (!(schema.apply(label).dataType() instanceof NumericType)) {
      throw new IllegalArgumentException(
          "%s: column '%s' is %s, but labels are numbers; see StringIndexer"
              .formatted(uid, getLabelCol(), schema.apply(label).dataType().simpleString()));
    }
    return Predictions.schema(this, schema);
  }

  @Override
  public GraftClassificationModel fit(Dataset<?> rows) {
    transformSchema(rows.schema());
    GraftClassificationModel model = new GraftClassificationModel(uid, new Fitting(this).fit(rows));
    return copyValues(model, ParamMap.empty()).setParent(this);
  }

  @Override
  public GraftClassifier copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  /** Reads what {@code save} wrote. */
  public static GraftClassifier load(String path) {
    return read().load(path);
  }

  /** For Spark, which reads the stages of a pipeline with it. */
  public static MLReader<GraftClassifier> read() {
    return new DefaultParamsReadable<GraftClassifier>() {}.read();
  }
}
