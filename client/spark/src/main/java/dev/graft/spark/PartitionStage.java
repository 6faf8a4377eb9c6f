package dev.graft.spark;

import com.google.protobuf.ByteString;
import dev.graft.client.ExtractJob;
import dev.graft.v1.ExtractSpec;
import java.io.Serializable;
import java.util.Iterator;
import java.util.Optional;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.TaskCompletionListener;

/** Rows in, the same rows with the workers' answers out, on an executor. */
final class PartitionStage implements MapPartitionsFunction<Row, Row> {
  /**
   * What a job is made of on the executor. No lambda: one that holds a ByteString cannot be read
   * where a jar has Protobuf under another name.
   *
   * @param projectorFile empty where the spec needs none
   */
  record Job(ExtractSpec spec, ByteString projectorFile) implements Serializable {
    ExtractJob make() {
      return new ExtractJob(spec, projectorFile, Optional.empty());
    }
  }

  private final Farm farm;
  private final Job job;
  private final RowCodec codec;

  private PartitionStage(Farm farm, Job job, RowCodec codec) {
    this.farm = farm;
    this.job = job;
    this.codec = codec;
  }

  /** The rows with the codec's columns, which {@code schema} has at its end. */
  static Dataset<Row> over(Dataset<?> rows, StructType schema, Farm farm, Job job, RowCodec codec) {
    return rows.toDF().mapPartitions(new PartitionStage(farm, job, codec), Encoders.row(schema));
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    TaskContext task = TaskContext.get();
    ExtractJob made = job.make();
    SharedPools.Lease lease = SharedPools.OF_THIS_JVM.lease(farm);
    RowWindows windows = new RowWindows(rows, lease.pool(), made, codec, task.partitionId());
    TaskCompletionListener end =
        ended -> {
          windows.close();
          lease.close();
        };
    task.addTaskCompletionListener(end);
    return windows;
  }
}
