package dev.graft.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.when;

import com.google.protobuf.ByteString;
import dev.graft.client.Items;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.pool.PooledTraining;
import dev.graft.v1.Item;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.util.Iterator;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The training of one projector: rows go from the executors over the driver to a worker. */
final class Fitting {
  private static final Logger logger = LoggerFactory.getLogger(Fitting.class);
  private static final String FEATURE = "feature";
  private static final String LABEL = "label";
  private static final int MOST_CLASSES = 65_536;

  private final GraftClassifier classifier;

  Fitting(GraftClassifier classifier) {
    this.classifier = classifier;
  }

  /** The trained projector's safetensors file. */
  ByteString fit(Dataset<?> rows) {
    Dataset<Row> examples =
        rows.select(
            quoted(rows, classifier.getFeaturesCol()).as(FEATURE),
            quoted(rows, classifier.getLabelCol()).cast(DataTypes.DoubleType).as(LABEL));
    // They are read twice, and again when the training moves to another worker.
    boolean cached = !rows.storageLevel().equals(StorageLevel.NONE());
    if (!cached) {
      examples.persist(StorageLevel.MEMORY_AND_DISK());
    }
    try (SharedPools.Lease lease = SharedPools.OF_THIS_JVM.lease(Settings.farm(classifier));
        PooledTraining training =
            lease.pool().train(TrainJob.of(spec(classes(examples)), () -> items(examples)))) {
      return result(training);
    } finally {
      if (!cached) {
        examples.unpersist();
      }
    }
  }

  private static Column quoted(Dataset<?> rows, String column) {
    return rows.col("`" + column.replace("`", "``") + "`");
  }

  private ByteString result(PooledTraining training) {
    while (true) {
      TrainEvent event = training.next();
      if (event instanceof TrainEvent.Log log) {
        logger.info(
            "{}: step {}, loss {}", classifier.uid(), log.entry().getStep(), log.entry().getLoss());
      } else if (event instanceof TrainEvent.Completed completed) {
        return completed.projectorFile();
      }
    }
  }

  /** The number of classes, after checking that every row can be trained on. */
  private int classes(Dataset<Row> examples) {
    Row found =
        examples
            .agg(
                count(lit(1)),
                count(col(FEATURE)),
                count(col(LABEL)),
                count(when(col(LABEL).notEqual(floor(col(LABEL))), 1)),
                min(LABEL),
                max(LABEL))
            .head();
    long rows = found.getLong(0);
    if (rows == 0) {
      throw refused("there are no rows to train on");
    }
    if (found.getLong(1) < rows) {
      throw refused("%d of %d rows have no features".formatted(rows - found.getLong(1), rows));
    }
    if (found.getLong(2) < rows) {
      throw refused("%d of %d rows have no label".formatted(rows - found.getLong(2), rows));
    }
    double least = found.getDouble(4);
    double most = found.getDouble(5);
    if (found.getLong(3) > 0 || least < 0 || most < 1 || most >= MOST_CLASSES) {
      throw refused(
          "labels must be whole numbers from 0 to at least 1 and at most %d; they are between %s and %s, and %d of them are not whole"
              .formatted(MOST_CLASSES - 1, least, most, found.getLong(3)));
    }
    return (int) most + 1;
  }

  private IllegalArgumentException refused(String why) {
    return new IllegalArgumentException(classifier.uid() + ": " + why);
  }

  private TrainSpec spec(int classes) {
    TrainSpec.Builder spec =
        TrainSpec.newBuilder()
            .setProjector(
                Predictions.projector(classifier)
                    .setDropout((float) Settings.orZero(classifier, classifier.dropout())))
            .setArguments(arguments());
    spec.getObjectiveBuilder().getCrossEntropyBuilder().setNumClasses(classes);
    return spec.build();
  }

  private TrainingArguments arguments() {
    TrainingArguments.Builder arguments = TrainingArguments.newBuilder();
    if (classifier.isDefined(classifier.learningRate())) {
      arguments.setLearningRate(classifier.getLearningRate());
    }
    if (classifier.isDefined(classifier.numTrainEpochs())) {
      arguments.setNumTrainEpochs(classifier.getNumTrainEpochs());
    }
    if (classifier.isDefined(classifier.perDeviceTrainBatchSize())) {
      arguments.setPerDeviceTrainBatchSize(classifier.getPerDeviceTrainBatchSize());
    }
    if (classifier.isDefined(classifier.weightDecay())) {
      arguments.setWeightDecay(classifier.getWeightDecay());
    }
    if (classifier.isDefined(classifier.warmupRatio())) {
      arguments.setWarmupRatio(classifier.getWarmupRatio());
    }
    if (classifier.isDefined(classifier.seed())) {
      arguments.setSeed(classifier.getSeed());
    }
    return arguments.build();
  }

  /** The rows in their order, a partition at a time. */
  private static Iterator<Item> items(Dataset<Row> examples) {
    Iterator<Row> rows = examples.toLocalIterator();
    return new Iterator<>() {
      private long number;

      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public Item next() {
        Row row = rows.next();
        return Items.withClass(Items.features(number++, Floats.in(row, 0)), (int) row.getDouble(1));
      }
    };
  }
}
