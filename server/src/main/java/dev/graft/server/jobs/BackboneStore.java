package dev.graft.server.jobs;

import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.TorchDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The backbones in memory. Those in use stay; of the others, the most recently used few. Loading
 * and freeing take long, and hold nobody up but those who wait for that very backbone.
 */
public final class BackboneStore implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(BackboneStore.class.getName());

  /** Backbones that are kept although nobody uses them. */
  private static final int MOST_IDLE = 2;

  private final ModelRoots roots;
  private final BackboneLoader loader;

  /** By real path, in the order of use. Guarded by this. */
  private final Map<Path, Shared> kept = new LinkedHashMap<>(16, 0.75f, true);

  /** Guarded by this. */
  private boolean closed;

  /**
   * @param weightsMemoryBytes most memory for one backbone's weights; the blocks of a larger one
   *     are in memory only while they are computed with
   */
  public BackboneStore(
      ModelRoots roots, TorchDevice device, Kernels kernels, long weightsMemoryBytes) {
    this(roots, BackboneLoader.of(roots, device, kernels, weightsMemoryBytes));
  }

  BackboneStore(ModelRoots roots, BackboneLoader loader) {
    this.roots = roots;
    this.loader = loader;
  }

  /**
   * Takes a backbone into use, loading it if it is not there or if its files have changed. Waits
   * where another call is loading it.
   *
   * @param path as in the contract's {@code Backbone.path}
   */
  public Lease acquire(String path) {
    Path directory = roots.resolve(path);
    DirectoryState state = DirectoryState.of(directory);
    List<Shared> unused = new ArrayList<>();
    Shared shared;
    boolean loads;
    synchronized (this) {
      shared = kept.get(directory);
      if (shared != null && !shared.state.equals(state)) {
        kept.remove(directory);
        if (shared.users == 0) {
          unused.add(shared);
        }
        shared = null;
      }
      loads = shared == null;
      if (loads) {
        shared = new Shared(directory, state);
        kept.put(directory, shared);
      }
      shared.users++;
      unused.addAll(evict()); // before loading, which needs the memory
    }
    unused.forEach(Shared::free);
    if (loads) {
      load(shared);
    }
    return new SharedLease(shared, shared.await());
  }

  /** Where backbones, and what belongs to them, may lie. */
  public ModelRoots roots() {
    return roots;
  }

  private void load(Shared shared) {
    try {
      shared.backbone.complete(loader.load(shared.directory));
    } catch (RuntimeException | Error e) { // whatever it is, those who wait must learn of it
      synchronized (this) {
        kept.remove(shared.directory, shared);
      }
      shared.backbone.completeExceptionally(e);
    }
  }

  /** Takes the least recently used backbones out that nobody uses and that are too many. */
  private synchronized List<Shared> evict() {
    int most = closed ? 0 : MOST_IDLE;
    long idle = kept.values().stream().filter(shared -> shared.users == 0).count();
    List<Shared> unused = new ArrayList<>();
    for (Iterator<Shared> oldest = kept.values().iterator(); idle > most; ) {
      Shared shared = oldest.next();
      if (shared.users == 0) {
        oldest.remove();
        unused.add(shared);
        idle--;
      }
    }
    return unused;
  }

  private void release(Shared shared) {
    List<Shared> unused;
    synchronized (this) {
      shared.users--;
      boolean replaced = kept.get(shared.directory) != shared;
      unused = replaced && shared.users == 0 ? List.of(shared) : evict();
    }
    unused.forEach(Shared::free);
  }

  /** The backbones in memory, without those that are being loaded. */
  public synchronized List<LoadedBackbone> loaded() {
    return kept.values().stream()
        .filter(shared -> shared.backbone.isDone() && !shared.backbone.isCompletedExceptionally())
        .map(shared -> shared.backbone.getNow(null))
        .filter(Objects::nonNull)
        .toList();
  }

  /** Frees what nobody uses now, and the rest when it is given back. */
  @Override
  public void close() {
    List<Shared> unused;
    synchronized (this) {
      closed = true;
      unused = evict();
    }
    unused.forEach(Shared::free);
  }

  /** A backbone in use. */
  public interface Lease extends AutoCloseable {
    LoadedBackbone backbone();

    /** Ends the use; more than once is the same as once. */
    @Override
    void close();
  }

  private final class SharedLease implements Lease {
    private final Shared shared;
    private final LoadedBackbone backbone;

    /** Guarded by this. */
    private boolean over;

    SharedLease(Shared shared, LoadedBackbone backbone) {
      this.shared = shared;
      this.backbone = backbone;
    }

    @Override
    public LoadedBackbone backbone() {
      return backbone;
    }

    @Override
    public void close() {
      synchronized (this) {
        if (over) {
          return;
        }
        over = true;
      }
      release(shared);
    }
  }

  /** A backbone that is there, or is being loaded by the first of its users. */
  private static final class Shared {
    private final Path directory;
    private final DirectoryState state;
    private final CompletableFuture<LoadedBackbone> backbone = new CompletableFuture<>();

    /** Guarded by the store. */
    private int users;

    Shared(Path directory, DirectoryState state) {
      this.directory = directory;
      this.state = state;
    }

    LoadedBackbone await() {
      try {
        return backbone.join();
      } catch (CompletionException e) {
        if (e.getCause() instanceof Error error) {
          throw error;
        }
        throw (RuntimeException) e.getCause();
      }
    }

    /** Only where it was loaded and has no users. */
    void free() {
      try {
        backbone.join().close();
      } catch (RuntimeException e) { // not the failure of the call that happens to free it
        LOG.log(System.Logger.Level.ERROR, "A backbone could not be freed: " + directory, e);
      }
    }
  }
}
