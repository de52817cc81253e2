/** What YAML cannot say: the optional VPC, and that API Gateway's deployment waits for the gateway responses. */
const list = (text) =>
  (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);

function joinNetwork(service) {
  const { securityGroupIds, subnetIds } = service.custom.network;
  const [groups, subnets] = [list(securityGroupIds), list(subnetIds)];
  if (groups.length === 0 && subnets.length === 0) return;
  if (groups.length === 0 || subnets.length === 0)
    throw new Error('a VPC needs both parameters, securityGroupIds and subnetIds');
  service.provider.vpc = { securityGroupIds: groups, subnetIds: subnets };
}

/** What is created after the deployment is not live until the next one. */
function deployGatewayResponsesFirst(service) {
  const { Resources } = service.provider.compiledCloudFormationTemplate;
  const responses = Object.entries(service.resources.Resources)
    .filter(([, { Type }]) => Type === 'AWS::ApiGateway::GatewayResponse')
    .map(([name]) => name);
  if (responses.length === 0) throw new Error('deploy/gateway.yml: no gateway response found');
  for (const resource of Object.values(Resources))
    if (resource.Type === 'AWS::ApiGateway::Deployment')
      resource.DependsOn = [...[resource.DependsOn ?? []].flat(), ...responses];
}

module.exports = function finishTemplate({ service }) {
  return {
    hooks: {
      initialize: () => joinNetwork(service),
      'after:package:compileEvents': () => deployGatewayResponsesFirst(service),
    },
  };
};
