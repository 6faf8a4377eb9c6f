package dev.graft.spark;

import java.util.List;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** Vectors of floats in columns. */
final class Floats {
  /** {@code array<float>} without nulls. */
  static final ArrayType TYPE = DataTypes.createArrayType(DataTypes.FloatType, false);

  private Floats() {}

  static double[] widened(float[] values) {
    double[] widened = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      widened[i] = values[i];
    }
    return widened;
  }

  /** Whether a column of this type can be read: a vector, or an array of floats or doubles. */
  static boolean areIn(DataType type) {
    return type.equals(SQLDataTypes.VectorType())
        || (type instanceof ArrayType array
            && (array.elementType().equals(DataTypes.FloatType)
                || array.elementType().equals(DataTypes.DoubleType)));
  }

  /** The values of such a column; null if it is null there. */
  static float[] in(Row row, int column) {
    if (row.isNullAt(column)) {
      return null;
    }
    if (row.get(column) instanceof Vector vector) {
      double[] wide = vector.toArray();
      float[] values = new float[wide.length];
      for (int i = 0; i < wide.length; i++) {
        values[i] = (float) wide[i];
      }
      return values;
    }
    if (row.get(column) instanceof float[] values) {
      return values; // straight from an extractor: Spark leaves out the encoding between two stages
    }
    List<Number> list = row.getList(column);
    float[] values = new float[list.size()];
    int filled = 0;
    for (Number value : list) {
      if (value == null) {
        throw new IllegalArgumentException(
            "there is a null among the %d values of a feature".formatted(values.length));
      }
      values[filled++] = value.floatValue();
    }
    return values;
  }
}
