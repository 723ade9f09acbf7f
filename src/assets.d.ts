declare module "swagger-ui-dist/*" {
  const path: string;
  export default path;
}
declare module "@fontsource-variable/*" {
  const path: string;
  export default path;
}
