package dev.graft.server.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a hub is asked, as in <a href="https://huggingface.co/docs/hub/api">its API</a> and {@code
 * huggingface_hub}'s {@code hf_api.py} and {@code file_download.py}.
 */
final class HubApi {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504);
  private static final int MOST_PAGE_BYTES = 32 << 20;
  private static final int MOST_FILES = 100_000;

  private final HubSettings settings;
  private final HubHttp http;
  private final Clock clock;

  HubApi(HubSettings settings, HubHttp http, Clock clock) {
    this.settings = settings;
    this.http = http;
    this.clock = clock;
  }

  /** The commit that a revision stands for now. */
  String commit(HubReference reference, Retries retries) {
    URI uri =
        uri(
            "/api/models/%s/revision/%s"
                .formatted(reference.repository(), encoded(reference.revision())));
    String commit = retries.run(() -> json(reference, uri)).answer().path("sha").asText("");
    if (!HubReference.isCommit(commit)) {
      throw HubErrors.corrupt(reference, "the hub's answer has no commit");
    }
    return commit;
  }

  /** All files of a commit. */
  RepositoryListing listing(HubReference reference, String commit, Retries retries) {
    RepositoryListing.Builder files = new RepositoryListing.Builder();
    Optional<URI> page =
        Optional.of(
            uri("/api/models/%s/tree/%s?recursive=true".formatted(reference.repository(), commit)));
    try {
      while (page.isPresent()) {
        URI uri = page.get();
        int before = files.size();
        Page read = retries.run(() -> json(reference, uri));
        files.addPage(read.answer());
        page = read.next();
        if (files.size() > MOST_FILES || (page.isPresent() && files.size() == before)) {
          throw new IllegalArgumentException("does not end");
        }
      }
      return files.build();
    } catch (IllegalArgumentException e) {
      throw HubErrors.corrupt(reference, "the hub's list of files " + e.getMessage()).causedBy(e);
    }
  }

  /**
   * Asks for a file's content from an offset on. The answer's status is 200, 206 or 416.
   *
   * @throws PassingFailure if another try may help
   */
  HubResponse file(HubReference reference, String commit, RepositoryFile file, long offset)
      throws PassingFailure, InterruptedException {
    URI uri =
        uri(
            "/%s/resolve/%s/%s"
                .formatted(
                    reference.repository(),
                    commit,
                    Arrays.stream(file.name().split("/"))
                        .map(HubApi::encoded)
                        .collect(Collectors.joining("/"))));
    Map<String, String> range = offset > 0 ? Map.of("Range", "bytes=" + offset + "-") : Map.of();
    HubResponse response = get(uri, range);
    if (response.status() != 416) {
      requireSuccess(reference, file.name(), response);
    }
    return response;
  }

  private record Page(JsonNode answer, Optional<URI> next) {}

  private Page json(HubReference reference, URI uri) throws PassingFailure, InterruptedException {
    try (HubResponse response = get(uri, Map.of())) {
      requireSuccess(reference, "such repository", response);
      return new Page(JSON.readTree(response.body().readAll(MOST_PAGE_BYTES)), response.next());
    } catch (JsonProcessingException e) {
      throw HubErrors.corrupt(reference, "the hub's answer is not valid JSON").causedBy(e);
    } catch (IOException e) {
      throw passing(e);
    }
  }

  private HubResponse get(URI uri, Map<String, String> headers)
      throws PassingFailure, InterruptedException {
    try {
      return http.get(uri, headers);
    } catch (IOException e) {
      throw passing(e);
    }
  }

  PassingFailure passing(IOException cause) {
    return new PassingFailure(HubErrors.unreachable(settings.endpoint(), cause), Optional.empty());
  }

  /** Closes the response where it is no success. */
  private void requireSuccess(HubReference reference, String what, HubResponse response)
      throws PassingFailure {
    int status = response.status();
    if (status == 200 || status == 206) {
      return;
    }
    response.close();
    if (PASSING.contains(status)) {
      throw new PassingFailure(
          HubErrors.unavailable("the hub %s answers %d".formatted(settings.endpoint(), status)),
          response.retryAfter(clock));
    }
    throw switch (status) {
      case 401, 403 -> HubErrors.unauthorized(reference, status, settings.token().isPresent());
      case 404, 410 ->
          HubErrors.notFound(
              reference,
              response.header("X-Error-Code").orElse("").equals("RevisionNotFound")
                  ? "such revision"
                  : what);
      default ->
          HubErrors.unavailable("the hub %s answers %d".formatted(settings.endpoint(), status));
    };
  }

  private URI uri(String pathAndQuery) {
    return URI.create(settings.endpoint() + pathAndQuery);
  }

  private static String encoded(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
