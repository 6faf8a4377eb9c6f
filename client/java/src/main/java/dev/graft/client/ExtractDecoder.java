package dev.graft.client;

import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Pooling;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Results of an Extract call: {@code ready} first, then each item answered once. */
final class ExtractDecoder implements ResponseDecoder<ExtractResponse, ItemResult> {
  private final AtomicLong sentItems = new AtomicLong();
  private final TokenRowsAssembly tokenRows;
  private final Runnable onReady;
  private volatile ExtractReady ready;
  private long answeredItems;

  /**
   * Makes a decoder.
   *
   * @param maxAssembledBytes most bytes of features that may wait for their missing parts
   * @param onReady run when {@link #ready} is known
   */
  ExtractDecoder(long maxAssembledBytes, Runnable onReady) {
    this.tokenRows = new TokenRowsAssembly(maxAssembledBytes);
    this.onReady = onReady;
  }

  /** Notes that more items are about to be sent; called by any thread. */
  void countSent(int items) {
    sentItems.addAndGet(items);
  }

  /** Null until the worker has answered; read by any thread. */
  ExtractReady ready() {
    return ready;
  }

  @Override
  public void decode(ExtractResponse response, Consumer<? super ItemResult> results)
      throws ContractBreach {
    switch (response.getMessageCase()) {
      case READY -> {
        if (ready != null) {
          throw new ContractBreach("the worker sent `ready` twice");
        }
        ready = response.getReady();
        onReady.run();
      }
      case RESULTS -> {
        requireReady();
        for (ItemResult result : response.getResults().getResultsList()) {
          Optional<ItemResult> whole = whole(result);
          if (whole.isPresent()) {
            countAnswer(result);
            results.accept(whole.get());
          }
        }
      }
      case MESSAGE_NOT_SET -> throw new ContractBreach("the worker sent an empty message");
    }
  }

  private Optional<ItemResult> whole(ItemResult result) throws ContractBreach {
    boolean inParts = ready.getFeatures().getPooling() == Pooling.POOLING_NONE;
    return inParts ? tokenRows.add(result) : Optional.of(result);
  }

  private void countAnswer(ItemResult result) throws ContractBreach {
    answeredItems++;
    if (answeredItems > sentItems.get()) {
      throw new ContractBreach(
          "the worker answered more items than were sent; the last was number "
              + Long.toUnsignedString(result.getNumber()));
    }
  }

  @Override
  public void finish() throws ContractBreach {
    requireReady();
    tokenRows.finish();
    if (answeredItems != sentItems.get()) {
      throw new ContractBreach(
          "the worker closed the stream after answering %d of %d items"
              .formatted(answeredItems, sentItems.get()));
    }
  }

  private void requireReady() throws ContractBreach {
    if (ready == null) {
      throw new ContractBreach("the worker did not begin with `ready`");
    }
  }

  @Override
  public Optional<TrainEvent.CheckpointSaved> lastCheckpoint() {
    return Optional.empty();
  }
}
