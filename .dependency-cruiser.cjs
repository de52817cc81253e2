/** Imports point one way: zod ← catalogue ← core ← workflow ← {adapters, runtime ← endpoints} ← functions. */
const product = '^(lib|functions)/';
const layer = (name, may) => ({
  name: `${name}-imports-only-inward`,
  severity: 'error',
  comment: `${name} may import ${may.join(', ') || 'zod alone'}`,
  from: { path: `^lib/${name}/` },
  to: { path: product, pathNot: [name, ...may].map((each) => `^lib/${each}/`) },
});

module.exports = {
  forbidden: [
    layer('catalogue', []),
    layer('core', ['catalogue']),
    layer('workflow', ['core', 'catalogue']),
    layer('adapters', ['workflow', 'core', 'catalogue']),
    layer('runtime', ['workflow', 'core', 'catalogue']),
    layer('endpoints', ['runtime', 'workflow', 'core', 'catalogue']),
    {
      name: 'functions-do-not-import-each-other',
      severity: 'error',
      from: { path: '^functions/([^/]+)' },
      to: { path: '^functions/', pathNot: '^functions/$1' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'no I/O, no clock, no environment: only zod, and hashing from node:crypto',
      from: { path: '^lib/(catalogue|core)/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: ['/zod/', '^(node:)?crypto$', '/picomatch/'],
      },
    },
    {
      name: 'workflow-reaches-out-through-ports',
      severity: 'error',
      from: { path: '^lib/workflow/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: ['/zod/', '^(node:)?crypto$'] },
    },
    {
      name: 'the-product-does-not-import-its-surroundings',
      severity: 'error',
      from: { path: product },
      to: { path: '^(test|local|localstack|scripts|bench|rundeck|zabbix)/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(\\.esbuild|\\.serverless|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
