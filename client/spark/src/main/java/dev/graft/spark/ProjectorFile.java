package dev.graft.spark;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;

/** The file of the trained weights in a saved model's directory, wherever Spark can store one. */
final class ProjectorFile {
  private static final String NAME = "projector.safetensors";

  private ProjectorFile() {}

  static void write(SparkSession spark, String directory, ByteString weights) throws IOException {
    Path file = new Path(directory, NAME);
    try (OutputStream out = fileSystem(spark, file).create(file)) {
      weights.writeTo(out);
    }
  }

  static ByteString read(SparkSession spark, String directory) {
    Path file = new Path(directory, NAME);
    try (InputStream in = fileSystem(spark, file).open(file)) {
      return ByteString.readFrom(in);
    } catch (IOException failed) {
      throw new UncheckedIOException(file + " cannot be read: " + failed.getMessage(), failed);
    }
  }

  private static FileSystem fileSystem(SparkSession spark, Path file) throws IOException {
    return file.getFileSystem(spark.sparkContext().hadoopConfiguration());
  }
}
