import asyncio
import websockets
import json
from openai import OpenAI

async def chat_with_image_context(user_message: str, image_name: str):
    """
    Chat about a specific image using cloud LLM.
    
    Args:
        user_message: Question about the image
        image_name: Filename of the image
    
    Returns:
        str: LLM response
    """
    client = OpenAI()
    
    # Get RAG context with image
    async with websockets.connect('ws://localhost:8000/api/cloud-chat') as ws:
        while True:
            message = await ws.recv()
            data = json.loads(message)
            if "ready" in data['message'].lower():
                break
        
        await ws.send(json.dumps({
            "message": user_message,
            "image_name": image_name,
            "history": []
        }))
        
        context_data = None
        async for message in ws:
            data = json.loads(message)
            if data['type'] == 'result':
                context_data = data['data']
                break
    
    # Build messages with image context
    image_ctx = context_data.get('image_context')
    context_text = f"""Image: {image_ctx['image_name']}
Tags: {', '.join(image_ctx['tags'])}
Description: {image_ctx['description']}

Related files:
{context_data['rag_context']}"""
    
    messages = [
        {"role": "system", "content": context_data['system_prompt']},
        {"role": "system", "content": context_text},
        {"role": "user", "content": user_message}
    ]
    
    # For vision models, you can also include the base64 image
    # messages.append({
    #     "role": "user",
    #     "content": [
    #         {"type": "text", "text": user_message},
    #         {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{image_ctx['image_base64']}"}}
    #     ]
    # })
    
    response = client.chat.completions.create(
        model="gpt-4-turbo-preview",
        messages=messages
    )
    
    return response.choices[0].message.content


# Usage
async def main():
    response = await chat_with_image_context(
        "Tell me about this photo",
        "beach_sunset.jpg"
    )
    print(response)

asyncio.run(main())
