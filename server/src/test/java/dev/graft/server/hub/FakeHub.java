package dev.graft.server.hub;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A hub with one repository, over real sockets: what huggingface.co answers to the requests that
 * are made, and whatever faults a test asks for. Large files lie on another host, to which the hub
 * redirects.
 */
public final class FakeHub implements AutoCloseable {
  public static final String REPOSITORY = "graft/tiny";
  public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  /** Answers one request in place of the hub. */
  @FunctionalInterface
  public interface Fault {
    void answer(HttpExchange exchange, byte[] content) throws IOException;
  }

  /** A request that came. */
  public record Request(
      boolean toHub, String method, String path, Optional<String> range, Optional<String> token) {}

  private record Stored(byte[] content, boolean large) {}

  private final HttpServer hub;
  private final HttpServer storage;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Stored> files = new TreeMap<>();
  private final Map<String, Queue<Fault>> faults = new ConcurrentHashMap<>();
  private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
  private volatile String commit = COMMIT;
  private volatile int pageSize = 1000;

  public FakeHub() throws IOException {
    this(0);
  }

  /** Listens on a port; the storage takes any that is free. */
  public FakeHub(int port) throws IOException {
    hub = server(port, this::answerAsHub);
    storage = server(0, this::answerAsStorage);
  }

  private HttpServer server(int port, com.sun.net.httpserver.HttpHandler handler)
      throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            handler.handle(exchange);
          }
        });
    server.setExecutor(threads);
    server.start();
    return server;
  }

  /** A small file, in git. */
  public FakeHub with(String name, String content) {
    files.put(name, new Stored(content.getBytes(StandardCharsets.UTF_8), false));
    return this;
  }

  /** A large file, in the other host's storage. */
  public FakeHub with(String name, byte[] content) {
    files.put(name, new Stored(content, true));
    return this;
  }

  public FakeHub commit(String newCommit) {
    commit = newCommit;
    return this;
  }

  public FakeHub pageSize(int entries) {
    pageSize = entries;
    return this;
  }

  /** The next request for this file, or for the path under {@code /api}, is answered so. */
  public FakeHub fault(String name, Fault fault) {
    faults.computeIfAbsent(name, n -> new ArrayDeque<>()).add(fault);
    return this;
  }

  public HubSettings settings(Path cache) {
    return new HubSettings(endpoint(), Optional.of("hf_secret"), cache, false);
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + hub.getAddress().getPort());
  }

  /** All requests so far. */
  public List<Request> requests() {
    return List.copyOf(requests);
  }

  /** Names of files whose content was asked for, in the order of the requests. */
  public List<String> asked() {
    return requests().stream()
        .filter(request -> request.toHub() && request.path().contains("/resolve/"))
        .map(request -> request.path().replaceFirst(".*/resolve/[^/]*/", ""))
        .toList();
  }

  /** What was asked of a file that lies in the storage. */
  public List<Request> storageRequests() {
    return requests().stream().filter(request -> !request.toHub()).toList();
  }

  private void answerAsHub(HttpExchange exchange) throws IOException {
    String path = record(exchange, true);
    String api = "/api/models/" + REPOSITORY + "/";
    if (path.startsWith(api + "revision/")) {
      answerJson(
          exchange, "revision", "{\"id\": \"%s\", \"sha\": \"%s\"}".formatted(REPOSITORY, commit));
    } else if (path.startsWith(api + "tree/" + commit)) {
      answerTree(exchange);
    } else if (path.startsWith("/" + REPOSITORY + "/resolve/")) {
      answerFile(exchange, path.replaceFirst(".*/resolve/[^/]*/", ""));
    } else {
      exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
      exchange.sendResponseHeaders(404, -1);
    }
  }

  private String record(HttpExchange exchange, boolean toHub) {
    Headers headers = exchange.getRequestHeaders();
    String path = exchange.getRequestURI().getPath();
    requests.add(
        new Request(
            toHub,
            exchange.getRequestMethod(),
            path,
            Optional.ofNullable(headers.getFirst("Range")),
            Optional.ofNullable(headers.getFirst("Authorization"))));
    return path;
  }

  private void answerJson(HttpExchange exchange, String name, String json) throws IOException {
    byte[] content = json.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    respond(exchange, name, content);
  }

  private void answerTree(HttpExchange exchange) throws IOException {
    List<String> names = List.copyOf(files.keySet());
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    int from = query.contains("cursor=") ? Integer.parseInt(query.replaceAll(".*cursor=", "")) : 0;
    int to = Math.min(names.size(), from + pageSize);
    if (to < names.size()) {
      exchange
          .getResponseHeaders()
          .set(
              "Link",
              "<%s%s?recursive=true&cursor=%d>; rel=\"next\""
                  .formatted(endpoint(), exchange.getRequestURI().getPath(), to));
    }
    List<String> entries =
        new ArrayList<>(names.subList(from, to).stream().map(this::entry).toList());
    entries.add("{\"type\": \"directory\", \"oid\": \"0\", \"size\": 0, \"path\": \"onnx\"}");
    answerJson(exchange, "tree", "[" + String.join(",", entries) + "]");
  }

  private String entry(String name) {
    Stored file = files.get(name);
    String escaped = name.replace("\\", "\\\\");
    String large =
        file.large()
            ? ", \"lfs\": {\"oid\": \"%s\", \"size\": %d, \"pointerSize\": 130}"
                .formatted(sha256(file.content()), file.content().length)
            : "";
    return "{\"type\": \"file\", \"path\": \"%s\", \"size\": %d, \"oid\": \"%s\"%s}"
        .formatted(escaped, file.content().length, gitSha1(file.content()), large);
  }

  private void answerFile(HttpExchange exchange, String name) throws IOException {
    Stored file = files.get(name);
    if (file == null) {
      exchange.getResponseHeaders().set("X-Error-Code", "EntryNotFound");
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    Headers headers = exchange.getResponseHeaders();
    headers.set("X-Repo-Commit", commit);
    headers.set(
        "ETag", "\"" + (file.large() ? sha256(file.content()) : gitSha1(file.content())) + "\"");
    if (file.large()) {
      headers.set("X-Linked-Etag", "\"" + sha256(file.content()) + "\"");
      headers.set("X-Linked-Size", String.valueOf(file.content().length));
      headers.set(
          "Location",
          "http://localhost:%d/%s?signature=1".formatted(storage.getAddress().getPort(), name));
      exchange.sendResponseHeaders(302, -1);
    } else {
      respond(exchange, name, file.content());
    }
  }

  private void answerAsStorage(HttpExchange exchange) throws IOException {
    String name = record(exchange, false).substring(1);
    respond(exchange, name, files.get(name).content());
  }

  private void respond(HttpExchange exchange, String name, byte[] content) throws IOException {
    Fault fault = Optional.ofNullable(faults.get(name)).map(Queue::poll).orElse(null);
    if (fault != null) {
      fault.answer(exchange, content);
    } else if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
      exchange.sendResponseHeaders(200, -1);
    } else {
      send(exchange, content);
    }
  }

  /** What an honest server sends, from where it was asked to. */
  static void send(HttpExchange exchange, byte[] content) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    if (from > 0) {
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
    }
    int length = content.length - from;
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, length == 0 ? -1 : length);
    try (OutputStream body = exchange.getResponseBody()) {
      body.write(content, from, length);
    }
  }

  /** Announces all that is asked for, and cuts the connection after some of it. */
  static Fault cutAfter(int bytes) {
    return (exchange, content) -> {
      String range = exchange.getRequestHeaders().getFirst("Range");
      int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
      if (from > 0) {
        exchange
            .getResponseHeaders()
            .set(
                "Content-Range",
                "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
      }
      exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
      exchange.getResponseBody().write(content, from, bytes);
      exchange.getResponseBody().flush();
    };
  }

  /** Sends this, all of it, whatever the range. */
  static Fault wrong(byte[] content) {
    return (exchange, real) -> {
      exchange.sendResponseHeaders(200, content.length);
      exchange.getResponseBody().write(content);
    };
  }

  /** Sends this without saying how long it is. */
  static Fault chunked(byte[] content) {
    return (exchange, real) -> {
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write(content);
    };
  }

  /** An error with headers, name after value. */
  static Fault status(int status, String... headers) {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i < headers.length; i += 2) {
      given.put(headers[i], headers[i + 1]);
    }
    return (exchange, real) -> {
      given.forEach(exchange.getResponseHeaders()::set);
      exchange.sendResponseHeaders(status, -1);
    };
  }

  static String sha256(byte[] content) {
    return hex("SHA-256", content);
  }

  static String gitSha1(byte[] content) {
    byte[] header = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] all = Arrays.copyOf(header, header.length + content.length);
    System.arraycopy(content, 0, all, header.length, content.length);
    return hex("SHA-1", all);
  }

  private static String hex(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Goes away, so that nobody can be reached. */
  @Override
  public void close() {
    hub.stop(0);
    storage.stop(0);
    threads.shutdownNow();
  }
}
