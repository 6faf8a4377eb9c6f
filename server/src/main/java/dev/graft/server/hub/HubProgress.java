package dev.graft.server.hub;

/**
 * How far a download has come.
 *
 * @param reference what is downloaded
 * @param file the file under way
 * @param bytes what is there of all files
 * @param totalBytes size of all files
 */
public record HubProgress(HubReference reference, String file, long bytes, long totalBytes) {
  /** Is told now and then, on the thread that downloads. */
  @FunctionalInterface
  public interface Listener {
    void onProgress(HubProgress progress);
  }
}
