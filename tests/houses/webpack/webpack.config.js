import Html from "html-webpack-plugin";

// One application for each kind of package.
export default ["bundler", "web", "url"].map((name) => ({
  name,
  entry: `./${name}/main.js`,
  experiments: { asyncWebAssembly: true },
  performance: { hints: false },
  plugins: [new Html({ title: "house" })],
  output: { path: `${import.meta.dirname}/dist/${name}`, clean: true },
}));
