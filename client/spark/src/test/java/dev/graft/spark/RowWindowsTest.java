package dev.graft.spark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.ExtractJob;
import dev.graft.client.Tensors;
import dev.graft.client.pool.WorkerPool;
import dev.graft.v1.Content;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.ItemResult;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams without end. */
@Timeout(60)
class RowWindowsTest {
  private static final ExtractJob JOB = ExtractJob.of(ExtractSpec.getDefaultInstance());

  private final AtomicInteger read = new AtomicInteger();
  private FakeWorker worker;
  private WorkerPool pool;

  @BeforeEach
  void connect() {
    worker = new FakeWorker();
    pool = WorkerPool.connect(worker.name());
  }

  @AfterEach
  void disconnect() {
    pool.close();
    worker.close();
  }

  private Iterator<Row> texts(String text) {
    return IntStream.iterate(0, i -> i + 1)
        .peek(i -> read.incrementAndGet())
        .mapToObj(i -> RowFactory.create(text))
        .iterator();
  }

  @Test
  void twoWindowsOfRowsAreInWork() {
    try (RowWindows windows = new RowWindows(texts("text"), pool, JOB, new Lengths(), 0)) {
      for (int i = 0; i < 10_000; i++) {
        assertThat(windows.next().getFloat(1)).isEqualTo(4);
        assertThat(read.get()).isLessThanOrEqualTo(i + 2 * 2_048 + 2);
      }
    }
  }

  @Test
  void longTextsMakeSmallWindows() {
    String megabyte = "x".repeat(1_000_000);
    try (RowWindows windows = new RowWindows(texts(megabyte), pool, JOB, new Lengths(), 0)) {
      for (int i = 0; i < 20; i++) {
        assertThat(windows.next().getFloat(1)).isEqualTo(1_000_000);
      }
      assertThat(read.get()).isLessThanOrEqualTo(20 + 2 * 10);
    }
  }

  private record Lengths() implements RowCodec {
    @Override
    public Optional<Content> input(Row row) {
      return Optional.of(Content.newBuilder().setText(row.getString(0)).build());
    }

    @Override
    public Object[] output(ItemResult result) {
      return new Object[] {Tensors.toFloats(result.getFeatures())[0]};
    }

    @Override
    public Object[] outputOfNothing() {
      throw new AssertionError("every row has a text");
    }
  }
}
