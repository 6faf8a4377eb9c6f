package dev.graft.server.jobs;

import dev.graft.server.backbones.Backbones;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.extraction.TextTokenizer;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.TorchDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The backbones in memory. Those in use stay; of the others, the most recently used few. */
public final class BackboneStore implements AutoCloseable {
  /** Backbones that are kept although nobody uses them. */
  private static final int MOST_IDLE = 2;

  private final ModelRoots roots;
  private final TorchDevice device;
  private final Kernels kernels;

  /** By real path, in the order of use. Guarded by this. */
  private final Map<Path, Shared> loaded = new LinkedHashMap<>(16, 0.75f, true);

  public BackboneStore(ModelRoots roots, TorchDevice device, Kernels kernels) {
    this.roots = roots;
    this.device = device;
    this.kernels = kernels;
  }

  /**
   * Takes a backbone into use, loading it if it is not there or if its files have changed.
   *
   * @param path as in the contract's {@code Backbone.path}
   */
  public Lease acquire(String path) {
    Path directory = roots.resolve(path);
    synchronized (this) {
      Shared shared = loaded.get(directory);
      if (shared != null && !shared.state.equals(DirectoryState.of(directory))) {
        loaded.remove(directory);
        shared.release();
        shared = null;
      }
      if (shared == null) {
        shared = new Shared(DirectoryState.of(directory), load(directory));
        loaded.put(directory, shared);
        evict();
      }
      return shared.lease();
    }
  }

  private LoadedBackbone load(Path directory) {
    Checkpoint checkpoint = Checkpoint.open(directory, roots);
    return new LoadedBackbone(
        directory,
        checkpoint,
        Backbones.load(checkpoint, device, kernels),
        checkpoint.tokenizer().map(TextTokenizer::open));
  }

  private void evict() {
    long idle = loaded.values().stream().filter(Shared::idle).count();
    Iterator<Shared> oldest = loaded.values().iterator();
    while (idle > MOST_IDLE + 1) {
      Shared shared = oldest.next();
      if (shared.idle()) {
        oldest.remove();
        shared.release();
        idle--;
      }
    }
  }

  /** The backbones in memory. */
  public synchronized List<LoadedBackbone> loaded() {
    List<LoadedBackbone> backbones = new ArrayList<>();
    loaded.values().forEach(shared -> backbones.add(shared.backbone));
    return backbones;
  }

  @Override
  public synchronized void close() {
    loaded.values().forEach(Shared::release);
    loaded.clear();
  }

  /** A backbone in use. */
  public interface Lease extends AutoCloseable {
    LoadedBackbone backbone();

    /** Ends the use; more than once is the same as once. */
    @Override
    void close();
  }

  /**
   * A backbone with the number of its users, the store being one while it keeps it. Guarded by the
   * store.
   */
  private final class Shared {
    private final DirectoryState state;
    private final LoadedBackbone backbone;
    private int users = 1;

    Shared(DirectoryState state, LoadedBackbone backbone) {
      this.state = state;
      this.backbone = backbone;
    }

    boolean idle() {
      return users == 1;
    }

    Lease lease() {
      users++;
      return new Lease() {
        private boolean closed;

        @Override
        public LoadedBackbone backbone() {
          return backbone;
        }

        @Override
        public void close() {
          synchronized (BackboneStore.this) {
            if (!closed) {
              closed = true;
              release();
            }
          }
        }
      };
    }

    void release() {
      users--;
      if (users == 0) {
        backbone.close();
      }
    }
  }
}
