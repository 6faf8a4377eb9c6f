package dev.graft.spark;

import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;

/**
 * Where the workers of a stage are, and how they are connected to.
 *
 * <p>Files are PEM files. A path that is not absolute names a file that was sent along with {@code
 * spark-submit --files}.
 *
 * @param <T> the stage
 */
public interface HasWorkers<T extends HasWorkers<T>> extends Params {
  /** Targets separated by commas: {@code HOST:PORT}, or any name that gRPC resolves. */
  default Param<String> workers() {
    return new Param<>(
        this,
        "workers",
        "targets separated by commas: HOST:PORT, or a name such as dns:///NAME:8470");
  }

  /** The certificates of the authorities that may vouch for a worker. */
  default Param<String> trustedCertificates() {
    return new Param<>(
        this, "trustedCertificates", "PEM file of authorities to trust; with it workers speak TLS");
  }

  /** This side's certificate, for workers that ask for one. */
  default Param<String> clientCertificate() {
    return new Param<>(this, "clientCertificate", "PEM file of this side's certificate chain");
  }

  /** The key of this side's certificate. */
  default Param<String> clientKey() {
    return new Param<>(this, "clientKey", "PEM file of the key of this side's certificate");
  }

  default String getWorkers() {
    return getOrDefault(workers());
  }

  default String getTrustedCertificates() {
    return getOrDefault(trustedCertificates());
  }

  default String getClientCertificate() {
    return getOrDefault(clientCertificate());
  }

  default String getClientKey() {
    return getOrDefault(clientKey());
  }

  /** Sets where the workers are; must be set. */
  default T setWorkers(String targets) {
    return Settings.set(self(), workers(), targets);
  }

  /** Speaks TLS with workers that one of these authorities vouches for. Default: plaintext. */
  default T setTrustedCertificates(String file) {
    return Settings.set(self(), trustedCertificates(), file);
  }

  /** Shows workers a certificate. Needs {@link #setClientKey}. Default: none. */
  default T setClientCertificate(String file) {
    return Settings.set(self(), clientCertificate(), file);
  }

  /** The key of the client's certificate. */
  default T setClientKey(String file) {
    return Settings.set(self(), clientKey(), file);
  }

  @SuppressWarnings("unchecked") // that is what T is for
  private T self() {
    return (T) this;
  }
}
