package dev.graft.client;

import dev.graft.v1.ExtractRequest;
import dev.graft.v1.Flush;
import dev.graft.v1.Item;
import dev.graft.v1.ItemBatch;
import java.util.Iterator;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/** What the client sends in an Extract call. */
final class ExtractRequests {
  private ExtractRequests() {}

  static ExtractRequest spec(ExtractJob job) {
    return ExtractRequest.newBuilder().setSpec(job.spec()).build();
  }

  /**
   * The requests after the spec, made one by one as they are asked for.
   *
   * @param sent told the number of items of each request that is made
   */
  static Iterator<ExtractRequest> afterSpec(
      ExtractJob job, Iterable<? extends Item> items, MessageSizes sizes, IntConsumer sent) {
    return Stream.concat(
            FileChunks.cut(job.projectorFile(), sizes.goodBytes())
                .map(chunk -> ExtractRequest.newBuilder().setProjectorFile(chunk)),
            ItemBatches.stream(items, sizes)
                .peek(batch -> sent.accept(batch.getItemsCount()))
                .map(ExtractRequests::request))
        .map(ExtractRequest.Builder::build)
        .iterator();
  }

  private static ExtractRequest.Builder request(ItemBatch batch) {
    ExtractRequest.Builder request = ExtractRequest.newBuilder();
    return batch.getItemsCount() == 0
        ? request.setFlush(Flush.getDefaultInstance())
        : request.setItems(batch);
  }
}
