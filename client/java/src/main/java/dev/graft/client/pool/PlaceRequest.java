package dev.graft.client.pool;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** Waits for a place at some worker, as long as patience lasts. */
final class PlaceRequest implements PoolJob {
  private final Workforce workforce;
  private final WorkerChoice choice;
  private final long tokens;
  private final Set<String> avoided;
  private final Patience patience;
  private final CompletableFuture<Workforce.Place> place = new CompletableFuture<>();

  PlaceRequest(
      Workforce workforce,
      WorkerChoice choice,
      long tokens,
      Set<String> avoided,
      Patience patience) {
    this.workforce = workforce;
    this.choice = choice;
    this.tokens = tokens;
    this.avoided = Set.copyOf(avoided);
    this.patience = patience;
  }

  CompletableFuture<Workforce.Place> place() {
    return place;
  }

  @Override
  public void check() {
    if (isWaiting()) {
      patience.waits().ifPresent(why -> giveUp(why, null));
    }
  }

  @Override
  public boolean isWaiting() {
    return !place.isDone();
  }

  @Override
  public int callsUnderWay() {
    return 0;
  }

  @Override
  public boolean startCall() {
    if (!isWaiting()) {
      return false;
    }
    Optional<Workforce.Place> taken = workforce.take(choice, tokens, avoided, Set.of());
    taken.ifPresent(
        given -> {
          if (!place.complete(given)) {
            given.abandon(); // cancelled meanwhile
          }
        });
    return taken.isPresent();
  }

  @Override
  public void hedge() {}

  @Override
  public void giveUp(String why, Throwable causeOrNull) {
    place.completeExceptionally(new IncompleteJobException(why, causeOrNull));
  }
}
