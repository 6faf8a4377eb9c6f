package dev.graft.server.hub;

import dev.graft.server.Version;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * GET requests to the hub, and to where it redirects. The token goes to the hub's own origin alone,
 * and no longer once a redirect has led away from it.
 */
final class HubHttp {
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final int MOST_REDIRECTS = 10;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private final HubSettings settings;
  private final Duration longestSilence;
  private final HttpClient client;

  HubHttp(HubSettings settings, Duration longestSilence) {
    this.settings = settings;
    this.longestSilence = longestSilence;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // one stream of bytes; HTTP/2 windows slow it
            .followRedirects(HttpClient.Redirect.NEVER) // the JDK's would carry the token along
            .proxy(ProxySelector.getDefault())
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
  }

  /** Sends a request; its answer's body is still to be read. */
  HubResponse get(URI start, Map<String, String> headers) throws IOException, InterruptedException {
    URI uri = start;
    boolean trusted = true;
    for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
      trusted &= isEndpoint(uri);
      HttpResponse<TimedBody> response =
          client.send(request(uri, headers, trusted), information -> new TimedBody(longestSilence));
      if (!REDIRECTS.contains(response.statusCode())) {
        return new HubResponse(response);
      }
      response.body().close();
      uri = target(uri, response.headers().firstValue("Location").orElse(""));
    }
    throw new IOException("it redirects more than " + MOST_REDIRECTS + " times");
  }

  private HttpRequest request(URI uri, Map<String, String> headers, boolean trusted) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .timeout(longestSilence)
            .header("User-Agent", "graft/" + Version.CURRENT)
            .header("Accept-Encoding", "identity"); // sizes and ranges are those of the file
    headers.forEach(request::header);
    if (trusted) {
      settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
    }
    return request.build();
  }

  private boolean isEndpoint(URI uri) {
    URI endpoint = settings.endpoint();
    return endpoint.getScheme().equalsIgnoreCase(uri.getScheme())
        && endpoint.getHost().equalsIgnoreCase(uri.getHost())
        && port(endpoint) == port(uri);
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
  }

  private static URI target(URI from, String location) throws IOException {
    URI target;
    try {
      target = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw new IOException("it redirects to what is no address", e);
    }
    boolean http = "http".equalsIgnoreCase(target.getScheme());
    boolean https = "https".equalsIgnoreCase(target.getScheme());
    if (location.isEmpty() || target.getHost() == null || !(http || https)) {
      throw new IOException("it redirects to what is no web address");
    }
    if (http && "https".equalsIgnoreCase(from.getScheme())) {
      throw new IOException("it redirects from https to plain http at " + target.getHost());
    }
    return target;
  }
}
