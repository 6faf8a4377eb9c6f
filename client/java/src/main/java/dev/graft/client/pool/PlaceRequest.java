package dev.graft.client.pool;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/** Waits for a place at some worker, as long as patience lasts. */
final class PlaceRequest implements PoolJob {
  private final Workforce workforce;
  private final WorkerChoice choice;
  private final long tokens;
  private final Set<String> avoided;
  private final Patience patience;
  private final BooleanSupplier isUrgent;
  private final CompletableFuture<Workforce.Place> place = new CompletableFuture<>();

  /**
   * Waits from now on.
   *
   * @param isUrgent whether it has waited so long that no worker is avoided any more
   */
  PlaceRequest(
      Workforce workforce,
      WorkerChoice choice,
      long tokens,
      Set<String> avoided,
      Patience patience,
      BooleanSupplier isUrgent) {
    this.workforce = workforce;
    this.choice = choice;
    this.tokens = tokens;
    this.avoided = Set.copyOf(avoided);
    this.patience = patience;
    this.isUrgent = isUrgent;
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
    Set<String> avoidedNow = isUrgent.getAsBoolean() ? Set.of() : avoided;
    Optional<Workforce.Place> taken = workforce.take(choice, tokens, avoidedNow, Set.of());
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
