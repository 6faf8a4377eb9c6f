package dev.graft.client.pool;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What a job knows of the pool around it.
 *
 * @param loop the pool's synchronization context
 * @param nanoTime its clock
 * @param wake lets the pool look at its jobs soon
 * @param wakeLater lets it do so after a pause
 */
record Surroundings(
    Workforce workforce,
    PoolOptions options,
    Executor loop,
    LongSupplier nanoTime,
    Runnable wake,
    Consumer<Duration> wakeLater,
    Consumer<PoolEvent> events) {}
