/** Stands for the SDK's chain of credential providers in a bundle: a Lambda's credentials are in its environment. */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
