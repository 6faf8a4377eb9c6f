package dev.graft.it;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.ExtractJob;
import dev.graft.client.Items;
import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.client.pool.WorkerState;
import dev.graft.v1.ExtractSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A control plane says who the workers are, configured as docs/scaling.md shows. */
class XdsTest {
  private static final Pattern JSON_BLOCK = Pattern.compile("(?ms)^```json\\n(.*?)^```$");
  private static final String BOOTSTRAP = "io.grpc.xds.bootstrapConfig";
  private static final String NAME = "graft-workers";
  private static final String TARGET = "xds:///" + NAME;
  private static final int WORKERS = 4;
  private static final int ITEMS = 2_000;

  private static ControlPlane controlPlane;
  private static WorkerProcess workers;
  private static String cluster;

  @BeforeAll
  static void start() throws Exception {
    List<String> blocks =
        JSON_BLOCK
            .matcher(Files.readString(Path.of("..", "docs", "scaling.md")))
            .results()
            .map(block -> block.group(1))
            .toList();
    controlPlane = ControlPlane.start();
    System.setProperty(
        BOOTSTRAP, replace(blocks.get(0), "control-plane:18000", controlPlane.address()));
    cluster = blocks.get(1);
    workers = WorkerProcess.simulate(10_000, 4, WORKERS); // a shard in 2 ms
  }

  @AfterAll
  static void stop() {
    System.clearProperty(BOOTSTRAP);
    workers.close();
    controlPlane.close();
  }

  @AfterEach
  void nothingWasRefused() {
    assertThat(controlPlane.refusals()).isEmpty();
  }

  @Test
  void endpointsAreMembersAsTheyComeAndGo() throws Exception {
    controlPlane.tell(listener(), routeTo(NAME), cluster, endpoints(NAME, 0, 1, 2));
    try (WorkerPool pool = connect()) {
      FarmLog log = FarmLog.of(pool);
      extractOn(pool, log, 0, 1, 2);
      controlPlane.tell(listener(), routeTo(NAME), cluster, endpoints(NAME, 1, 2, 3));
      extractOn(pool, log, 1, 2, 3);
    }
  }

  @Test
  void oneClusterTakesThePlaceOfAnotherAndBack() throws Exception {
    try (WorkerPool pool = connect()) {
      FarmLog log = FarmLog.of(pool);
      tellOfBlueAndGreen("blue");
      extractOn(pool, log, 0, 1);
      tellOfBlueAndGreen("green");
      extractOn(pool, log, 1, 2);
      tellOfBlueAndGreen("blue");
      extractOn(pool, log, 0, 1);
    }
  }

  @Test
  void aServiceIsForgottenAndComesBack() throws Exception {
    String[] service = {listener(), routeTo(NAME), cluster, endpoints(NAME, 3)};
    controlPlane.tell(service);
    try (WorkerPool pool = connect()) {
      FarmLog log = FarmLog.of(pool);
      extractOn(pool, log, 3);
      controlPlane.tell();
      log.await(
          "the service to be missing",
          event ->
              event instanceof PoolEvent.WorkerMissing missing && missing.worker().equals(TARGET));
      assertThat(pool.workers()).isEmpty();
      controlPlane.tell(service);
      extractOn(pool, log, 3);
    }
  }

  private static void tellOfBlueAndGreen(String routed) throws Exception {
    controlPlane.tell(
        listener(),
        routeTo(routed),
        replace(cluster, NAME, "blue"),
        replace(cluster, NAME, "green"),
        endpoints("blue", 0, 1),
        endpoints("green", 1, 2));
  }

  private static WorkerPool connect() {
    return WorkerPool.connect(TARGET, new PoolOptions().shards(192, 64));
  }

  /** Waits for these members; then an extraction uses them all, and has each result once. */
  private static void extractOn(WorkerPool pool, FarmLog log, int... numbers) {
    Set<String> names = Arrays.stream(numbers).mapToObj(XdsTest::name).collect(toSet());
    log.await("the members", () -> up(pool).equals(names) && pool.workers().size() == names.size());
    log.forgetDeliveries();
    List<Long> results = new ArrayList<>();
    try (PooledExtract extract =
        pool.extract(
            ExtractJob.of(ExtractSpec.getDefaultInstance()),
            () -> LongStream.range(0, ITEMS).mapToObj(n -> Items.tokenIds(n, 1, 2, 3)).iterator(),
            ResultOrder.OF_ITEMS)) {
      extract.forEachRemaining(result -> results.add(result.getNumber()));
    }
    assertThat(results).isEqualTo(LongStream.range(0, ITEMS).boxed().toList());
    log.await("results of them all", () -> log.delivered().containsAll(names));
    assertThat(log.has(PoolEvent.ShardRetried.class::isInstance)).as("%s", log).isFalse();
  }

  private static Set<String> up(WorkerPool pool) {
    return pool.workers().stream()
        .filter(worker -> worker.description().isPresent())
        .map(WorkerState::worker)
        .collect(toSet());
  }

  private static String name(int number) {
    return SimulatedWorker.address(number) + ":" + workers.port();
  }

  private static String replace(String text, String old, String other) {
    assertThat(text).contains(old);
    return text.replace(old, other);
  }

  private static String listener() {
    return """
        {
          "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
          "name": "graft-workers",
          "api_listener": {"api_listener": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "rds": {"config_source": {"ads": {}}, "route_config_name": "graft-workers"},
            "http_filters": [{"name": "router", "typed_config": {
              "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
            }}]
          }}
        }
        """;
  }

  private static String routeTo(String cluster) {
    return """
        {
          "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
          "name": "graft-workers",
          "virtual_hosts": [{
            "domains": ["*"],
            "routes": [{"match": {"prefix": ""}, "route": {"cluster": "%s"}}]
          }]
        }
        """
        .formatted(cluster);
  }

  private static String endpoints(String cluster, int... numbers) {
    String endpoints =
        Arrays.stream(numbers)
            .mapToObj(
                number ->
                    """
                    {"endpoint": {"address": {"socket_address": {
                      "address": "%s", "port_value": %d
                    }}}}
                    """
                        .formatted(SimulatedWorker.address(number), workers.port()))
            .collect(joining(","));
    return """
        {
          "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
          "cluster_name": "%s",
          "endpoints": [{
            "locality": {"zone": "a"},
            "load_balancing_weight": 1,
            "lb_endpoints": [%s]
          }]
        }
        """
        .formatted(cluster, endpoints);
  }
}
