package dev.graft.spark;

import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.WorkerPool;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import org.apache.spark.SparkFiles;

/**
 * Where workers are and how they are connected to. Travels to the executors.
 *
 * @param workers targets separated by commas
 * @param trustedCertificates a PEM file; empty means plaintext
 * @param clientCertificate a PEM file; empty means none
 * @param clientKey its key, a PEM file
 */
record Farm(String workers, String trustedCertificates, String clientCertificate, String clientKey)
    implements Serializable {
  Farm {
    if (clientCertificate.isEmpty() != clientKey.isEmpty()) {
      throw new IllegalArgumentException(
          "clientCertificate and clientKey belong together; only one of them is set");
    }
    if (trustedCertificates.isEmpty() && !clientCertificate.isEmpty()) {
      throw new IllegalArgumentException(
          "clientCertificate is for TLS; set trustedCertificates too");
    }
  }

  WorkerPool connect() {
    return WorkerPool.connect(workers, new PoolOptions().credentials(credentials()));
  }

  private ChannelCredentials credentials() {
    if (trustedCertificates.isEmpty()) {
      return InsecureChannelCredentials.create();
    }
    try {
      TlsChannelCredentials.Builder tls =
          TlsChannelCredentials.newBuilder().trustManager(file(trustedCertificates));
      return clientCertificate.isEmpty()
          ? tls.build()
          : tls.keyManager(file(clientCertificate), file(clientKey)).build();
    } catch (IOException failed) {
      throw new UncheckedIOException(
          "A PEM file cannot be read on this machine: " + failed.getMessage(), failed);
    }
  }

  private static File file(String path) {
    File file = new File(path);
    return file.isAbsolute() ? file : new File(SparkFiles.get(path));
  }
}
