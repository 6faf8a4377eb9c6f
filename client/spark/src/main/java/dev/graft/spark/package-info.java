/**
 * Graft in Apache Spark: {@link dev.graft.spark.GraftExtractor} computes the features of a text
 * column on the workers of a farm, as a stage of an ML pipeline.
 *
 * <p>Each partition is one stream of rows: they are read as the workers take them, and leave in
 * their order. The tasks of an executor share one {@linkplain dev.graft.client.pool.WorkerPool
 * pool} for each farm. A worker that is lost is the pool's to replace; a task that fails is
 * Spark's. Neither changes a result: which rows are computed together depends on the partition and
 * its order alone.
 */
package dev.graft.spark;
