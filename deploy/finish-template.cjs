/** What YAML cannot say: lists of any length, no role that nobody has, and gateway responses before the deployment. */
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

/** Whoever tells humans may also publish to the topics that teams have of their own. */
function allowTeamTopics(service) {
  const topics = list(service.custom.teamTopicArns);
  const wrong = topics.find((arn) => !/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+$/.test(arn));
  if (wrong !== undefined) throw new Error(`teamTopicArns: expected the ARN of an SNS topic, got ${wrong}`);
  for (const { iamRoleStatements = [] } of Object.values(service.functions))
    for (const statement of iamRoleStatements)
      if (statement.Action.includes('sns:Publish'))
        statement.Resource = [...new Set([...statement.Resource, ...topics])];
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

/** LocalStack takes the API's id from this tag, so that its URL is known before it is there. */
function nameLocalApi(service, stage) {
  const api = service.provider.compiledCloudFormationTemplate.Resources.ApiGatewayRestApi;
  if (api && stage === 'local')
    api.Properties.Tags = [...(api.Properties.Tags ?? []), { Key: '_custom_id_', Value: service.service }];
}

/** Every function has a role of its own; the one that the framework made for all of them would only lie there. */
function dropSharedRole(service) {
  const { Resources } = service.provider.compiledCloudFormationTemplate;
  const { IamRoleLambdaExecution, ...others } = Resources;
  if (IamRoleLambdaExecution && !JSON.stringify(others).includes('"IamRoleLambdaExecution"'))
    service.provider.compiledCloudFormationTemplate.Resources = others;
}

/** The alarms are all that is left when no human can be told, so that they reach nobody must not be an oversight. */
function sayWhoIsAlarmed(service, stage, log) {
  if (service.custom.alarmEmail !== '' || stage === 'local') return;
  log.warning(
    `alarmEmail is empty: no alarm reaches anybody unless something is subscribed to the topic remedia-${stage}-alarms`,
  );
}

module.exports = function finishTemplate({ service }, options, { log }) {
  return {
    hooks: {
      initialize: () => {
        joinNetwork(service);
        allowTeamTopics(service);
        sayWhoIsAlarmed(service, options.stage ?? service.provider.stage, log);
      },
      'after:package:compileEvents': () => {
        deployGatewayResponsesFirst(service);
        nameLocalApi(service, options.stage ?? service.provider.stage);
      },
      'before:package:finalize': () => dropSharedRole(service),
    },
  };
};
