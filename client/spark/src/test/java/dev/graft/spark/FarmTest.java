package dev.graft.spark;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.client.ExtractJob;
import dev.graft.client.Items;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.v1.ExtractSpec;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.io.File;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FarmTest {
  private static final String PASSWORD = "password";

  @TempDir private static Path directory;
  private static File certificate;
  private static File key;

  /** One certificate for both sides, which vouches for itself. */
  @BeforeAll
  static void makeCertificate() throws Exception {
    Path store = directory.resolve("store.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "me",
                "-dname",
                "CN=test",
                "-ext",
                "san=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString())
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    certificate = pem("CERTIFICATE", keys.getCertificate("me").getEncoded());
    key = pem("PRIVATE KEY", keys.getKey("me", PASSWORD.toCharArray()).getEncoded());
  }

  private static File pem(String kind, byte[] content) throws Exception {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Path file = directory.resolve(kind + ".pem");
    Files.writeString(
        file, "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(kind, text, kind), US_ASCII);
    return file.toFile();
  }

  @Test
  void workersThatAskForACertificateAreShownOne() throws Exception {
    ServerCredentials mutual =
        TlsServerCredentials.newBuilder()
            .keyManager(certificate, key)
            .trustManager(certificate)
            .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
            .build();
    try (FakeWorker worker = new FakeWorker(mutual);
        WorkerPool pool =
            new Farm(worker.name(), certificate.getPath(), certificate.getPath(), key.getPath())
                .connect();
        PooledExtract extract =
            pool.extract(
                ExtractJob.of(ExtractSpec.getDefaultInstance()),
                List.of(Items.text(5, "text")),
                ResultOrder.OF_ITEMS)) {
      assertThat(extract.next().getNumber()).isEqualTo(5);
    }
  }

  @Test
  void settingsThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> new Farm("host:1", "ca.pem", "me.pem", ""))
        .hasMessageContaining("clientCertificate and clientKey belong together");
    assertThatThrownBy(() -> new Farm("host:1", "", "me.pem", "me.key"))
        .hasMessageContaining("set trustedCertificates too");
    Farm farm = new Farm("host:1", "/no/such/file.pem", "", "");
    assertThatThrownBy(farm::connect).hasMessageContaining("/no/such/file.pem");
  }
}
