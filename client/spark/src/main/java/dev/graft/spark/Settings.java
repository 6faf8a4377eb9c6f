package dev.graft.spark;

import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.types.StructType;

/** What the stages' parameters have in common. */
final class Settings {
  private Settings() {}

  /** Sets a parameter; returns the stage, so that settings can follow each other. */
  static <T extends Params, V> T set(T stage, Param<V> param, V value) {
    stage.set(param, value);
    return stage;
  }

  static <V> V required(Params stage, Param<V> param) {
    if (!stage.isDefined(param)) {
      throw new IllegalArgumentException(
          "%s has no %s; set it: %s".formatted(stage.uid(), param.name(), param.doc()));
    }
    return stage.getOrDefault(param);
  }

  static String orEmpty(Params stage, Param<String> param) {
    return stage.isDefined(param) ? stage.getOrDefault(param) : "";
  }

  static double orZero(Params stage, DoubleParam param) {
    return stage.isDefined(param) ? (double) stage.getOrDefault(param) : 0;
  }

  static Farm farm(HasWorkers<?> stage) {
    return new Farm(
        required(stage, stage.workers()),
        orEmpty(stage, stage.trustedCertificates()),
        orEmpty(stage, stage.clientCertificate()),
        orEmpty(stage, stage.clientKey()));
  }

  /** The place of a column that must be there. */
  static int column(Params stage, StructType schema, Param<String> param) {
    String name = required(stage, param);
    for (int i = 0; i < schema.length(); i++) {
      if (schema.apply(i).name().equals(name)) {
        return i;
      }
    }
    throw new IllegalArgumentException(
        "%s: there is no column '%s' (%s); there are: %s"
            .formatted(stage.uid(), name, param.name(), String.join(", ", schema.fieldNames())));
  }

  static void requireNew(Params stage, StructType schema, Param<String> param) {
    String name = required(stage, param);
    if (schema.getFieldIndex(name).isDefined()) {
      throw new IllegalArgumentException(
          "%s: there is a column '%s' already; set another %s"
              .formatted(stage.uid(), name, param.name()));
    }
  }
}
