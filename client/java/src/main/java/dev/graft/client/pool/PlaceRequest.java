package dev.graft.client.pool;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/** Waits for a place at some worker, as long as patience lasts while none is up. */
final class PlaceRequest implements PoolJob {
  private final Workforce workforce;
  private final long tokens;
  private final Set<String> avoided;
  private final Duration patience;
  private final LongSupplier nanoTime;
  private final CompletableFuture<Workforce.Place> place = new CompletableFuture<>();
  private OptionalLong nobodySince = OptionalLong.empty();

  PlaceRequest(
      Workforce workforce,
      long tokens,
      Set<String> avoided,
      Duration patience,
      LongSupplier nanoTime) {
    this.workforce = workforce;
    this.tokens = tokens;
    this.avoided = Set.copyOf(avoided);
    this.patience = patience;
    this.nanoTime = nanoTime;
  }

  CompletableFuture<Workforce.Place> place() {
    return place;
  }

  @Override
  public void wake() {
    if (place.isDone()) {
      return;
    }
    if (workforce.alive() > 0) {
      nobodySince = OptionalLong.empty();
      workforce
          .take(tokens, avoided, Set.of())
          .ifPresent(
              taken -> {
                if (!place.complete(taken)) {
                  taken.abandon(); // cancelled meanwhile
                }
              });
    } else if (nobodySince.isEmpty()) {
      nobodySince = OptionalLong.of(nanoTime.getAsLong());
    } else if (nanoTime.getAsLong() - nobodySince.getAsLong() >= patience.toNanos()) {
      giveUp("no worker was alive for " + patience, null);
    }
  }

  @Override
  public void giveUp(String why, Throwable causeOrNull) {
    place.completeExceptionally(new IncompleteJobException(why, causeOrNull));
  }
}
