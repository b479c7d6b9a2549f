// Loaded before the Firebase CLI. The Auth emulator checks requests against a large API
// description, whose schemas it compiles all at once at start; that is most of its ten seconds.
// The library that does so can compile each schema when it is first needed instead.
try {
  const exegesis = require(`${process.env.SHOPPLE_NODE_MODULES}/exegesis-express`);
  const compileAll = exegesis.middleware;
  Object.defineProperty(exegesis, "middleware", {
    value: (api, options) =>
      compileAll(api, { ...options, lazyCompileValidationSchemas: true }),
  });
} catch {
  // Another version of the CLI may be laid out differently: it then starts as slowly as it does.
}
