package dev.graft.client;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Calls from their start to their end.
 *
 * @param <C> what they are
 */
final class OpenCalls<C> {
  private final Set<C> calls = ConcurrentHashMap.newKeySet();
  private final Optional<OpenCalls<? super C>> whole;

  OpenCalls() {
    whole = Optional.empty();
  }

  /** Calls that are a part of others, and are counted there too. */
  OpenCalls(OpenCalls<? super C> whole) {
    this.whole = Optional.of(whole);
  }

  void add(C call) {
    calls.add(call);
    whole.ifPresent(all -> all.add(call));
  }

  void remove(C call) {
    calls.remove(call);
    whole.ifPresent(all -> all.remove(call));
  }

  void forEach(Consumer<? super C> action) {
    calls.forEach(action);
  }
}
